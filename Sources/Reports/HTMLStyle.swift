/// The page's style sheet. `--ink`, `--muted`, `--grid` and `--paper` are those of the pictures.
let htmlStyle = """
  :root {
    color-scheme: light dark;
    --ink: #1f2328; --muted: #5a626b; --grid: #e3e6ea; --paper: #ffffff;
    --panel: #f5f6f8; --link: #0b5cad; --good: #1a7f37; --bad: #b3261e;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --ink: #e6e9ed; --muted: #a0a8b1; --grid: #343a41; --paper: #16191d;
      --panel: #1f2429; --link: #6cb2f7; --good: #4cc26c; --bad: #ff8a80;
    }
  }
  body {
    margin: 0; background: var(--paper); color: var(--ink);
    font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
  }
  main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 48px; }
  section + section { border-top: 1px solid var(--grid); margin-top: 48px; }
  h1 { font-size: 1.7em; line-height: 1.25; margin: 0 0 .5em; overflow-wrap: anywhere; }
  h2 { font-size: 1.4em; margin: 1.2em 0 .5em; overflow-wrap: anywhere; }
  h3, figcaption, summary { font-size: 1.05em; font-weight: 600; margin: 1.6em 0 .5em; }
  p, li, dd { overflow-wrap: anywhere; }
  a { color: var(--link); }
  .note { color: var(--muted); font-size: .9em; margin: .3em 0; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 12px 0; }
  th, td { padding: 4px 14px 4px 0; text-align: left; white-space: nowrap; }
  th { border-bottom: 1.5px solid var(--ink); }
  tbody { border-bottom: 1px solid var(--muted); }
  tbody tr + tr td { border-top: 1px solid var(--grid); }
  .number { text-align: right; }
  .good { color: var(--good); }
  .bad { color: var(--bad); white-space: normal; min-width: 16em; }
  figure { margin: 0; }
  svg { display: block; width: 100%; height: auto; }
  summary { cursor: pointer; }
  pre {
    background: var(--panel); padding: 12px 14px; border-radius: 6px; overflow-x: auto;
    font: .85em/1.5 ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace;
  }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
  dt { color: var(--muted); }
  dd { margin: 0; }
  @media (max-width: 600px) {
    main { padding: 16px 12px 32px; }
    body { font-size: 15px; }
  }
  @media print { .scroll { overflow: visible; } }
  """
