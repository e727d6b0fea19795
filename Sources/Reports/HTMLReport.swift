import Plots

/// Tables, pictures, runs, machine, config and commands as one page that needs nothing else: no
/// script, no font, no file. It follows the reader's choice of light or dark.
///
/// - Parameters:
///   - curves: the runs of each table, in the tables' order; fewer lists leave the last tables
///     without curves.
///   - experts: which classes the experts of those runs served, likewise.
public func htmlReport(
  _ tables: [AccuracyTable], curves: [[RunCurve]], experts: [[ExpertClassMap]] = []
) -> String {
  let titles = tables.map { oneLine($0.experiment.name) }
  let title = titles.count == 1 ? titles[0] : "excite report"
  var body = tables.count == 1 ? "" : "<h1>\(xmlEscaped(title))</h1>\n" + contents(titles)
  for (index, table) in tables.enumerated() {
    let heading = tables.count == 1 ? "h1" : "h2"
    let section = HTMLSection(
      table, curves: index < curves.count ? curves[index] : [],
      experts: index < experts.count ? experts[index] : [])
    body += """
      <section id="t\(index + 1)">
      <\(heading)>\(xmlEscaped(titles[index]))</\(heading)>
      \(section.text)</section>

      """
  }
  if tables.isEmpty { body += "<p>There are no results.</p>\n" }
  return """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; style-src 'unsafe-inline'">
    <title>\(xmlEscaped(title))</title>
    <style>
    \(htmlStyle)
    </style>
    </head>
    <body>
    <main>
    \(body)</main>
    </body>
    </html>

    """
}

private func contents(_ titles: [String]) -> String {
  guard !titles.isEmpty else { return "" }
  let items = titles.enumerated().map { index, title in
    "<li><a href=\"#t\(index + 1)\">\(xmlEscaped(title))</a></li>\n"
  }
  return "<ul>\n\(items.joined())</ul>\n"
}
