require("esbuild").build({entryPoints: ["js/app.js"], outdir: "../priv/static/assets"})
