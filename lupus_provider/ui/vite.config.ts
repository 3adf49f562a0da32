// The production build: one stable entry `main.js` plus hashed chunks, host libraries left to Airflow.
import { defineConfig } from "vite";

import { hostGlobals } from "./src/app/hostGlobals.ts";

export default defineConfig({
  base: "./",
  define: { "process.env.NODE_ENV": '"production"' },
  plugins: [hostGlobals()],
  build: {
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: "src/app/main.ts",
      // Every file of TanStack Query starts with "use client", which says nothing here.
      onwarn: (warning, warn) => (warning.code === "MODULE_LEVEL_DIRECTIVE" ? undefined : warn(warning)),
      output: { format: "es", entryFileNames: "main.js", chunkFileNames: "c/[name]-[hash].js" },
    },
  },
});
