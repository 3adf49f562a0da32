// Builds the page that stands in for Airflow's while the plugin is developed.
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  define: { "process.env.NODE_ENV": '"production"' },
  build: { outDir: ".host", emptyOutDir: true, target: "es2022", reportCompressedSize: false, rollupOptions: { input: "dev/host.tsx", output: { entryFileNames: "host.js" } } },
});
