import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

// Names without a hash: the server sends files by exact name from a list.
const licences = {
  name: "licences",
  generateBundle() {
    const leaflet = readFileSync(new URL("node_modules/leaflet/LICENSE", import.meta.url), "utf-8");
    const own = readFileSync(new URL("../LICENSE", import.meta.url), "utf-8");
    const source = `This map holds:\n\nlandbridge\n\n${own}\nLeaflet 1.9.4, https://leafletjs.com\n\n${leaflet}`;
    this.emitFile({ type: "asset", fileName: "licences.txt", source });
  },
};

// Rules of Leaflet for what the map does not have, with their pictures.
const unused = /popup|control-(layers|attribution|scale)|marker|tile|image-layer|div-icon|default-icon|vml/;
const rules = {
  name: "rules",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("leaflet.css")) return null;
    const kept = (rule, selectors) => (selectors.split(",").every((one) => unused.test(one)) ? "" : rule);
    return code.replace(/\/\*.*?\*\//gs, "").replace(/([^{}]+)\{[^{}]*\}/g, kept);
  },
};

export default defineConfig({
  base: "/map/",
  plugins: [licences, rules],
  // As modules, of which what is not used is left out.
  resolve: { alias: [{ find: /^leaflet$/, replacement: "leaflet/dist/leaflet-src.esm.js" }] },
  build: {
    outDir: "../src/landbridge/server/built",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 8192,
    rolldownOptions: {
      // Classes of Leaflet that nothing uses are left out, though making one is a call.
      treeshake: {
        manualPureFunctions: ["Class", "DivOverlay", "Evented", "GridLayer", "Icon", "ImageOverlay", "Layer", "Marker", "TileLayer"].map(
          (name) => `${name}.extend`,
        ),
      },
      output: {
        entryFileNames: "app.js",
        assetFileNames: "app[extname]",
        codeSplitting: false,
      },
    },
  },
});
