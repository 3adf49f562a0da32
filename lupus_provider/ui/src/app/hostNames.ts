/**
 * The names that Lupus takes from the libraries of the Airflow page.
 *
 * A module made from a global must list its exports at build time; listing them by hand keeps React and Chakra out of the build's
 * dependencies and shows at a glance what a new version of Airflow may break (`hostNames.test.ts`).
 */
export const HOST: Record<string, { readonly global: string; readonly names: readonly string[] }> = {
  react: {
    global: "React",
    names: [
      "Children", "Component", "Fragment", "StrictMode", "Suspense", "cloneElement", "createContext", "createElement", "forwardRef",
      "isValidElement", "lazy", "memo", "startTransition", "use", "useCallback", "useContext", "useDebugValue", "useDeferredValue",
      "useEffect", "useId", "useImperativeHandle", "useInsertionEffect", "useLayoutEffect", "useMemo", "useReducer", "useRef", "useState",
      "useSyncExternalStore", "useTransition",
    ],
  },
  "react-dom": { global: "ReactDOM", names: ["createPortal", "flushSync"] },
  "react/jsx-runtime": { global: "ReactJSXRuntime", names: ["Fragment", "jsx", "jsxs"] },
  "react-router-dom": { global: "ReactRouterDOM", names: ["Link", "useLocation", "useNavigate", "useSearchParams"] },
  "@chakra-ui/react": {
    global: "ChakraUI",
    names: [
      "Badge", "Box", "Button", "Flex", "Grid", "HStack", "Heading", "Input", "NativeSelect", "Skeleton", "Stack", "Table",
      "Text", "VisuallyHidden", "chakra",
    ],
  },
};
