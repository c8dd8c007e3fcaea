"""The style sheet of the page: for a screen of 1,200 pixels, a telephone, and print."""

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; color: #1d2329; background: #fff; line-height: 1.5;
  font-family: "Segoe UI", "Helvetica Neue", Arial, "Noto Sans", "DejaVu Sans", sans-serif; font-size: 16px; }
header, main { max-width: 1120px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 30px; border-bottom: 3px solid #0072b2; padding-bottom: 12px; }
.brand { margin: 0; letter-spacing: .04em; color: #00578a; font-weight: 600; }
h1 { margin: .1em 0 .4em; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 2.2em 0 .5em; font-size: 1.4rem; border-bottom: 1px solid #c9d1d9; padding-bottom: .2em; }
h3 { margin: 1.7em 0 .4em; font-size: 1.08rem; }
p, ul { margin: .5em 0; max-width: 88ch; }
nav a { display: inline-block; margin-right: 1em; color: #00578a; }
.small, figcaption { color: #4a5560; font-size: .88rem; }
.note { background: #fff6dd; border-left: 4px solid #d9a400; padding: .5em .8em; }
figure { margin: 1.4em 0; break-inside: avoid; }
figure img { display: block; width: 100%; height: auto; }
figcaption { margin-top: .4em; max-width: 100ch; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: .28em .55em; text-align: left; vertical-align: top; }
thead th, thead td { border-bottom: 2px solid #6b7680; vertical-align: bottom; font-weight: 600; }
tbody th { font-weight: 400; }
tbody tr:nth-child(even) { background: #f4f6f8; }
.n { text-align: right; white-space: nowrap; }
details { margin: .8em 0; }
summary { cursor: pointer; color: #00578a; }
pre { font-size: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f6f8; padding: .8em; }
code { font-size: .9em; }
a:focus-visible, summary:focus-visible { outline: 3px solid #d9a400; outline-offset: 2px; }
@media print {
  @page { margin: 14mm; }
  body { font-size: 10pt; }
  header, main { max-width: none; padding: 0; }
  nav, pre, summary { display: none; }
  .wide { overflow: visible; }
  table { font-size: 8pt; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""
