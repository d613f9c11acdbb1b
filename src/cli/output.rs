//! Output of commands: lines of JSON for programs, a table for people.

use std::{
    future::Future,
    io::{IsTerminal, Write, stdout},
    time::Duration,
};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use poem_openapi::types::ToJSON;
use serde_json::Value;

/// Time after which a command shows on a terminal that it is still working.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// Maximum width of a column of a table, in characters.
const WIDEST: usize = 60;

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A line of JSON for each item.
    Json,
    /// A table.
    Table,
}

/// Argument that chooses the form of the output.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Choice {
    /// Form of the output: a table on a terminal, else lines of JSON.
    #[arg(long = "output", value_enum)]
    output: Option<Form>,
}

impl Choice {
    /// Returns the chosen form, or the one that fits the standard output.
    pub fn form(self) -> Form {
        let fitting = if stdout().is_terminal() { Form::Table } else { Form::Json };
        self.output.unwrap_or(fitting)
    }
}

/// Prints the items: with `columns`, each a title and a JSON pointer, as a table.
///
/// # Errors
/// When the standard output is closed.
pub fn print(form: Form, columns: &[(&str, &str)], items: &[Value]) -> std::io::Result<()> {
    let text = match form {
        Form::Json => items.iter().map(|item| format!("{item}\n")).collect(),
        Form::Table => table(columns, items),
    };
    stdout().lock().write_all(text.as_bytes())
}

/// Prints one item with all its members.
///
/// # Errors
/// When the standard output is closed.
pub fn print_one(form: Form, item: &Value) -> std::io::Result<()> {
    let text = match form {
        Form::Json => format!("{item}\n"),
        Form::Table => serde_json::to_string_pretty(item).unwrap_or_default().replace('\u{9b}', "�") + "\n",
    };
    stdout().lock().write_all(text.as_bytes())
}

/// Returns an answer of the native API as JSON.
pub fn json(answer: &impl ToJSON) -> Value {
    answer.to_json().unwrap_or_default()
}

fn table(columns: &[(&str, &str)], items: &[Value]) -> String {
    let titles = columns.iter().map(|(title, _)| title.to_uppercase()).collect::<Vec<_>>();
    let cells = |item: &Value| columns.iter().map(|(_, pointer)| cell(item.pointer(pointer))).collect();
    let rows: Vec<Vec<String>> = std::iter::once(titles).chain(items.iter().map(cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Returns the text of a value in a table. A tenant chose it: no character of it moves the cursor of a terminal.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.replace(char::is_control, " "),
        Some(Value::Array(items)) => items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join(", "),
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(WIDEST) {
        None => text,
        Some(_) => text.chars().take(WIDEST - 1).chain(['…']).collect(),
    }
}

/// Waits for something, and after a second shows on a terminal that it is not over.
pub async fn during<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(SHOWN_AFTER, &mut work).await {
        return done;
    }
    let spinner = ProgressBar::new_spinner().with_message(name);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    let done = work.await;
    spinner.finish_and_clear();
    done
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_aligned_and_cannot_move_the_cursor() {
        let items = [json!({"a": "x\u{1b}[2J", "b": {"c": 1}}), json!({"a": "a longer text", "b": {"c": null}})];
        let table = table(&[("first", "/a"), ("second", "/b/c")], &items);
        assert_eq!(table, "FIRST          SECOND\nx [2J          1\na longer text  -\n");
    }

    #[test]
    fn a_long_text_is_cut() {
        let text = cell(Some(&Value::from("é".repeat(100))));
        assert_eq!((text.chars().count(), text.ends_with('…')), (WIDEST, true));
        assert_eq!(cell(Some(&json!(["a", 1]))), "a, 1");
    }
}
