//! A chart of measured figures against their aims, as SVG: a bar for each, from the aim to the left or to the right. The
//! scale is logarithmic, so that twice as good and half as good are bars of one length.

use std::fmt::Write;

use crate::{Result, table::millis};

/// Measures of the picture, in its own units.
const WIDTH: f64 = 960.0;
const LABELS: f64 = 380.0;
const FIGURES: f64 = 200.0;
const TOP: f64 = 76.0;
const ROW: f64 = 30.0;
const BAR: f64 = 18.0;
/// Ends of the scale: so many times better, or worse.
const MOST: f64 = 10.0;
/// Lines of the scale, by the ratio to the aim.
const LINES: [(f64, &str); 7] =
    [(0.1, "÷10"), (0.2, "÷5"), (0.5, "÷2"), (1.0, "aim"), (2.0, "×2"), (5.0, "×5"), (10.0, "×10")];

/// A figure and its aim.
#[derive(Clone, Debug, PartialEq)]
struct Bar {
    label: String,
    value: f64,
    aim: f64,
    /// True where less is better.
    at_most: bool,
}

impl Bar {
    /// Parses `LABEL=VALUE:AIM`, with `:most` after it where less is better.
    fn parse(text: &str) -> Result<Self> {
        let fault = || format!("{text}: a bar is LABEL=VALUE:AIM or LABEL=VALUE:AIM:most, of positive numbers");
        let (label, figures) = text.rsplit_once('=').ok_or_else(fault)?;
        let (figures, at_most) = figures.strip_suffix(":most").map_or((figures, false), |figures| (figures, true));
        let (value, aim) = figures.split_once(':').ok_or_else(fault)?;
        let positive = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
        let (value, aim) = (positive(value).ok_or_else(fault)?, positive(aim).ok_or_else(fault)?);
        Ok(Self { label: label.trim().to_owned(), value, aim, at_most })
    }

    /// Returns how many times better than the aim it is; below 1, it is worse.
    fn ratio(&self) -> f64 {
        if self.at_most { self.aim / self.value } else { self.value / self.aim }
    }

    fn is_reached(&self) -> bool {
        self.ratio() >= 1.0
    }

    fn figures(&self) -> String {
        let bound = if self.at_most { "≤" } else { "≥" };
        format!("{}, aim {bound} {}", millis(self.value), millis(self.aim))
    }
}

/// Draws the chart of bars, each of which is `LABEL=VALUE:AIM`, with `:most` after it where less is better.
///
/// # Errors
/// When a bar is not written so.
pub fn svg(title: &str, bars: &[&str]) -> Result<String> {
    let bars = bars.iter().map(|bar| Bar::parse(bar)).collect::<Result<Vec<_>>>()?;
    let height = TOP + ROW * bars.len() as f64 + 16.0;
    let (title, told) = (escaped(title), escaped(&told(&bars)));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\" \
         viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"#1f2328\">\n<title id=\"title\">{title}</title>\n<desc id=\"desc\">{told}</desc>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n"
    );
    scale(&mut out, height);
    for (index, bar) in bars.iter().enumerate() {
        draw(&mut out, bar, TOP + ROW * index as f64);
    }
    out.push_str("</svg>\n");
    Ok(out)
}

/// Draws the lines of the scale.
fn scale(out: &mut String, height: f64) {
    for (ratio, name) in LINES {
        let (x, bottom) = (x_of(ratio), height - 12.0);
        let (color, width) = if ratio == 1.0 { ("#1f2328", 1.5) } else { ("#d0d7de", 1.0) };
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"{color}\" stroke-width=\"{width}\"/>\n\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"11\">{name}</text>",
            TOP - 14.0,
            TOP - 20.0
        );
    }
}

/// Draws one bar with its label and its figures.
fn draw(out: &mut String, bar: &Bar, top: f64) {
    let (aim, end) = (x_of(1.0), x_of(bar.ratio()));
    let (x, width) = (aim.min(end), (aim - end).abs().max(2.0));
    // Told apart without colours too: one goes to the right, the other to the left.
    let color = if bar.is_reached() { "#1a7f37" } else { "#bc4c00" };
    let (base, figures) = (top + BAR / 2.0 + 4.5, x_of(MOST) + 16.0);
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{base:.1}\" text-anchor=\"end\">{}</text>\n\
         <rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{color}\"/>\n\
         <text x=\"{figures:.1}\" y=\"{base:.1}\">{}</text>",
        LABELS - 12.0,
        escaped(&bar.label),
        escaped(&bar.figures())
    );
}

/// Position of a ratio on the scale, which ends at both sides.
fn x_of(ratio: f64) -> f64 {
    let end = MOST.log10();
    let part = (ratio.log10().clamp(-end, end) + end) / (2.0 * end);
    LABELS + part * (WIDTH - LABELS - FIGURES)
}

/// The chart in words.
fn told(bars: &[Bar]) -> String {
    let told = |bar: &Bar| {
        let verdict = if bar.is_reached() { "reached" } else { "not reached" };
        format!("{}: {}, {verdict}.", bar.label, bar.figures())
    };
    bars.iter().map(told).collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_goes_to_the_right_where_the_aim_is_reached() {
        let text = svg("A & B", &["events/s <c=16>=2000:1000", "p99, ms=40:10:most"]).unwrap();
        let (aim, twice, quarter) = (x_of(1.0), x_of(2.0), x_of(0.25));
        assert!(quarter < aim && aim < twice && x_of(1000.0) == x_of(MOST));
        for part in [
            "role=\"img\"",
            "<title id=\"title\">A &amp; B</title>",
            ">events/s &lt;c=16&gt;</text>",
            ">2,000, aim ≥ 1,000</text>",
            ">40.0, aim ≤ 10.0</text>",
            "events/s &lt;c=16&gt;: 2,000, aim ≥ 1,000, reached. p99, ms: 40.0, aim ≤ 10.0, not reached.",
            &format!("<rect x=\"{aim:.1}\" y=\"76.0\" width=\"{:.1}\" height=\"18\" fill=\"#1a7f37\"/>", twice - aim),
            &format!(
                "<rect x=\"{quarter:.1}\" y=\"106.0\" width=\"{:.1}\" height=\"18\" fill=\"#bc4c00\"/>",
                aim - quarter
            ),
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("currentColor"));
    }

    #[test]
    fn a_bar_needs_two_positive_numbers() {
        let bar = Bar { label: "a=b".to_owned(), value: 1.5, aim: 2.0, at_most: true };
        assert_eq!(Bar::parse("a=b=1.5:2:most").unwrap(), bar);
        for text in ["a", "a=1", "a=1:0", "a=-1:2", "a=x:2", "a=1:inf", "a=1:2:least"] {
            assert!(Bar::parse(text).is_err(), "{text}");
        }
    }
}
