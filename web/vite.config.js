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

// The pictures of a marker and of a control that the map does not have: a fifth of the style.
const pictures = {
  name: "pictures",
  enforce: "pre",
  transform(code, id) {
    return id.includes("leaflet.css") ? code.replace(/background-image: url\(images\/[^)]*\);/g, "") : null;
  },
};

export default defineConfig({
  base: "/map/",
  plugins: [licences, pictures],
  // As modules, of which what is not used is left out.
  resolve: { alias: [{ find: /^leaflet$/, replacement: "leaflet/dist/leaflet-src.esm.js" }] },
  build: {
    outDir: "../src/landbridge/server/built",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 8192,
    rolldownOptions: {
      output: {
        entryFileNames: "app.js",
        assetFileNames: "app[extname]",
        codeSplitting: false,
      },
    },
  },
});
