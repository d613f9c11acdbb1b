//! Enforces the rules of the source tree that neither the compiler nor clippy can: the permitted dependencies of each
//! module, and a few rules about files. `ARCHITECTURE.md` and `CONTRIBUTING.md` give the reasons.
//!
//! It reads tokens: comments and literals are blanked out first, so a rule may be mentioned anywhere.

mod checker;

use std::{
    fs,
    path::{Path, PathBuf},
};

// ---- The table of arrows ------------------------------------------------------------------------------------------

/// One row of the table: the permitted and the forbidden dependencies of a module.
///
/// A module of ours has to be in `may`. A crate has to be missing in `must_not`, and has to be in `may` too where
/// `must_not` says [`EVERYTHING_ELSE`].
struct Row {
    module: &'static str,
    may: &'static [&'static str],
    must_not: &'static [&'static str],
}

const EVERYTHING_ELSE: &str = "everything else";
const OTHER_DIALECTS: &str = "any other dialect";

/// `ARCHITECTURE.md` shows the same rows; a test compares them.
const TABLE: &[Row] = &[
    Row {
        module: "domain",
        may: &[
            "std",
            "base64",
            "cel",
            "chrono",
            "chrono_tz",
            "croner",
            "jsonschema",
            "minijinja",
            "nodejs_semver",
            "roxmltree",
            "serde",
            "serde_json",
            "thiserror",
            "url",
            "utoipa::ToSchema",
            "uuid",
            "zeroize",
        ],
        must_not: &["std::env", "std::fs", "std::process", "std::thread", EVERYTHING_ELSE],
    },
    Row { module: "entity", may: &["sea_orm"], must_not: &["tieline"] },
    Row {
        module: "store",
        may: &["domain", "entity", "migration", "sea_orm"],
        must_not: &["app", "api", "poem", "poem_openapi"],
    },
    Row {
        module: "provider",
        may: &["domain", "reqwest"],
        must_not: &["store", "app", "poem", "poem_openapi", "sea_orm", "sqlx"],
    },
    Row {
        module: "app",
        may: &["domain", "store", "provider"],
        must_not: &["api", "poem", "poem_openapi", "sea_orm", "sqlx"],
    },
    Row {
        module: "worker",
        may: &["domain", "store", "provider", "app"],
        must_not: &["api", "poem", "poem_openapi", "sea_orm", "sqlx"],
    },
    Row {
        module: "api",
        may: &["domain", "app", "api/shared", "poem_openapi"],
        must_not: &["store", "entity", "sea_orm", "sqlx", OTHER_DIALECTS],
    },
    Row {
        module: "listen",
        may: &["domain", "provider"],
        must_not: &["store", "app", "api", "poem", "poem_openapi", "sea_orm", "sqlx"],
    },
];

/// Modules that all others but `domain` and `entity` may use: they know no other.
const COMMON: &[&str] = &["config", "telemetry"];

/// Our modules and crates, as opposed to those of others.
const OURS: &[&str] = &[
    "api",
    "app",
    "cli",
    "config",
    "domain",
    "entity",
    "listen",
    "migration",
    "openapi",
    "provider",
    "startup",
    "store",
    "telemetry",
    "worker",
];

impl Row {
    /// The row that governs a file, and the dialect it belongs to, if any.
    fn of(path: &str) -> Option<(&'static Row, Option<&str>)> {
        let mut parts = match path.strip_prefix("entity/") {
            Some(_) => vec!["entity"],
            None => path.strip_prefix("src/")?.trim_end_matches(".rs").split('/').collect(),
        };
        parts.push("");
        let row = TABLE.iter().find(|row| row.module == parts[0])?;
        Some((row, (row.module == "api" && !parts[1].is_empty()).then_some(parts[1])))
    }

    /// The row as `ARCHITECTURE.md` shows it.
    fn markdown(&self) -> String {
        let list = |names: &[&str]| {
            let code = |name: &&str| if name.contains(' ') { (*name).to_owned() } else { format!("`{name}`") };
            names.iter().map(code).collect::<Vec<_>>().join(", ")
        };
        format!("| `{}` | {} | {} |", self.module, list(self.may), list(self.must_not))
    }

    /// Permits a path to a file of this row, and of this dialect. `crates` are the known crates.
    fn allows(&self, dialect: Option<&str>, path: &[String], crates: &[String]) -> bool {
        let lists = |names: &[&str]| names.iter().any(|name| begins_with(path, name));
        let first = path.first().map_or("", String::as_str);
        if first == "crate" || OURS.contains(&first) {
            let path = if first == "crate" { &path[1..] } else { path };
            let Some(module) = path.first() else { return true };
            if module == "api" && self.module == "api" {
                return dialect.is_none_or(|own| path.get(1).is_none_or(|to| to == "shared" || to == own));
            }
            return module == self.module
                || self.may.contains(&module.as_str())
                || !OURS.contains(&module.as_str())
                || (COMMON.contains(&module.as_str()) && !self.must_not.contains(&EVERYTHING_ELSE));
        }
        if lists(self.must_not) {
            return false;
        }
        let is_crate = crates.iter().any(|name| name == first) || ["std", "core", "alloc"].contains(&first);
        !(is_crate && self.must_not.contains(&EVERYTHING_ELSE)) || lists(self.may)
    }
}

/// Accepts a path that is `name` or lies within it. A path that stops above `name` does not.
fn begins_with(path: &[String], name: &str) -> bool {
    let name: Vec<_> = name.split("::").collect();
    path.len() >= name.len() && path.iter().zip(&name).all(|(segment, wanted)| segment == wanted)
}

/// Lists every dependency that the file's row of the table does not permit.
fn broken_arrows(source: &Source, crates: &[String]) -> Vec<String> {
    let Some((row, dialect)) = Row::of(&source.path) else { return Vec::new() };
    let in_our_crate = source.path.starts_with("src/");
    let mut broken: Vec<_> = paths(&source.tokens)
        .into_iter()
        .filter_map(|(line, path)| {
            let path = absolute(&source.path, path);
            let foreign_root = !in_our_crate && path[0] == "crate";
            (!foreign_root && !row.allows(dialect, &path, crates))
                .then(|| format!("{}:{line} uses {}\n    {}", source.path, path.join("::"), row.markdown()))
        })
        .collect();
    broken.dedup();
    broken
}

/// A path from the root of the crate: `self` and `super` are resolved by the file's place, `tieline` is the crate.
fn absolute(file: &str, path: Vec<String>) -> Vec<String> {
    let mut module: Vec<String> = match file.strip_prefix("src/").map(|file| file.trim_end_matches(".rs")) {
        Some("lib" | "main") | None => Vec::new(),
        Some(module) => module.split('/').map(str::to_owned).collect(),
    };
    let mut rest = path.as_slice();
    let relative = matches!(rest.first().map(String::as_str), Some("self" | "super"));
    while let Some((first, more)) = rest.split_first() {
        match first.as_str() {
            "self" => {}
            "super" => {
                module.pop();
            }
            _ => break,
        }
        rest = more;
    }
    let root = || vec!["crate".to_owned()];
    if relative {
        [root(), module, rest.to_vec()].concat()
    } else if rest.first().is_some_and(|first| first == "tieline") && file.starts_with("src/") {
        [root(), rest[1..].to_vec()].concat()
    } else {
        rest.to_vec()
    }
}

// ---- The order of the rooms ---------------------------------------------------------------------------------------

/// Rooms of `app`, `domain` and `store`: each uses those before it. `ARCHITECTURE.md` has the same line.
const ROOMS: [&str; 12] = [
    "kernel",
    "tenancy",
    "pipeline",
    "routes",
    "email",
    "channels",
    "slack",
    "github",
    "workflows",
    "apps",
    "webhooks",
    "registry",
];

/// Files that use a room after their own, with the reason.
const ROOM_EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("src/domain/kernel/error.rs", "webhooks", "one enum of errors has the refusals of every room"),
    ("src/domain/kernel/error.rs", "tenancy", "one enum of errors has the refusals of every room"),
    ("src/domain/kernel/error.rs", "registry", "one enum of errors has the refusals of every room"),
    ("src/app/kernel.rs", "tenancy", "every service writes the audit log"),
    ("src/app/tenancy/quotas.rs", "pipeline", "a quota counts the destinations of every room"),
    ("src/app/tenancy/quotas.rs", "routes", "a quota counts the destinations of every room"),
    ("src/app/tenancy/quotas.rs", "slack", "a quota counts the destinations of every room"),
    ("src/app/tenancy/quotas.rs", "github", "a quota counts the destinations of every room"),
    ("src/app/tenancy/quotas.rs", "apps", "a quota counts the destinations of every room"),
    ("src/app/tenancy/quotas.rs", "webhooks", "a quota counts the destinations of every room"),
    ("src/app/slack/access.rs", "apps", "a dialect shows the link as settings of an app"),
    ("src/domain/slack/greeting.rs", "workflows", "a message names the workflow that was requested"),
    ("src/domain/slack/modal.rs", "workflows", "a modal has the parameters of a workflow"),
    ("src/app/apps/installations/signing.rs", "webhooks", "apps and webhooks have signing secrets in one place"),
    ("src/store/channels.rs", "webhooks", "the channels of triggers are read with their members"),
];

/// Returns the place of a path in the order of the rooms, if it lies in one.
fn rank(path: &[&str]) -> Option<usize> {
    let path = if path.first() == Some(&"crate") { &path[1..] } else { path };
    let [floor, room, ..] = path else { return None };
    ["app", "domain", "store"].contains(floor).then(|| ROOMS.iter().position(|one| one == room))?
}

/// Lists every use of a room after the file's own.
fn broken_rooms(source: &Source) -> Vec<String> {
    let Some(own) = source.path.strip_prefix("src/").map(|path| path.trim_end_matches(".rs")) else {
        return Vec::new();
    };
    let Some(own) = rank(&own.split('/').collect::<Vec<_>>()) else { return Vec::new() };
    let excepted = |room: &str| ROOM_EXCEPTIONS.iter().any(|(file, to, _)| *file == source.path && *to == room);
    let broken = |(line, path): (usize, Vec<String>)| {
        let path = absolute(&source.path, path);
        let room = rank(&path.iter().map(String::as_str).collect::<Vec<_>>())?;
        (room > own && !excepted(ROOMS[room])).then(|| {
            format!("{}:{line} uses {}: {} is after {}", source.path, path.join("::"), ROOMS[room], ROOMS[own])
        })
    };
    let mut broken: Vec<_> = paths(&source.tokens).into_iter().filter_map(broken).collect();
    broken.dedup();
    broken
}

// ---- The rules about files ----------------------------------------------------------------------------------------

/// A rule about one file at a time: its scope, and the lines that break it.
struct Rule {
    says: &'static str,
    holds_in: fn(&str) -> bool,
    broken_at: fn(&Source) -> Vec<usize>,
}

const SOURCE_LINES: usize = 400;
const TEST_LINES: usize = 900;

const RULES: &[Rule] = &[
    Rule {
        says: "a module lives in name.rs beside name/; there is no mod.rs, so that editor tabs have names",
        holds_in: is_source,
        broken_at: |source| if source.path.ends_with("/mod.rs") { vec![1] } else { Vec::new() },
    },
    Rule {
        says: "a source file has at most 400 lines without its tests; split it along its nouns",
        holds_in: is_source,
        broken_at: |source| longer_than(SOURCE_LINES, source),
    },
    Rule {
        says: "a test file has at most 900 lines",
        holds_in: |path| path.starts_with("tests/"),
        broken_at: |source| longer_than(TEST_LINES, source),
    },
    Rule {
        says: "a dialect's error.rs names every variant, so that a new one is decided on; no `_ =>`",
        holds_in: |path| path.starts_with("src/api/") && path.ends_with("/error.rs"),
        broken_at: |source| lines_of(&source.tokens, &["_", "=>"]),
    },
    Rule {
        says: "no unwrap() and no expect() outside tests and startup; return an error",
        holds_in: |path| {
            let crates = ["src/", "entity/", "migration/"];
            let is_root = path.starts_with("src/startup");
            crates.iter().any(|folder| path.starts_with(folder)) && !is_root
        },
        broken_at: |source| {
            let unwraps = lines_of(&source.tokens, &[".", "unwrap", "(", ")"]);
            [unwraps, lines_of(&source.tokens, &[".", "expect", "("])].concat()
        },
    },
    Rule {
        says: "a statement names the columns that it returns; those of * change while the next version adds some",
        holds_in: |path| path.starts_with("src/store/"),
        broken_at: |source| {
            // A backslash goes on in the next line.
            let is_star =
                |rest: &str| rest.split_whitespace().find(|word| *word != "\\").is_some_and(|word| word.contains('*'));
            let returning = source.text.match_indices("RETURNING ");
            let stars = returning.filter(|(at, word)| is_star(&source.text[at + word.len()..]));
            stars.map(|(at, _)| source.text[..at].matches('\n').count() + 1).collect()
        },
    },
    Rule {
        says: "a migration runs in a schema of a distributed PostgreSQL (Citus): statements::execute sends one statement \
               at a time, and there are no triggers, sequences, identity columns or concurrent builds",
        holds_in: |path| path.starts_with("migration/src/m"),
        broken_at: |source| {
            let refused = |line: &str| REFUSED_IN_SCHEMAS.iter().any(|words| line.to_uppercase().contains(words));
            (1..).zip(source.text.lines()).filter(|(_, line)| refused(line)).map(|(number, _)| number).collect()
        },
    },
    Rule {
        says: "a type is described by poem-openapi or by utoipa, never by both: there would be two truths",
        holds_in: is_source,
        broken_at: |source| types_described_twice(&source.tokens),
    },
    Rule {
        says: "a file begins with a //! comment that says what it is for",
        holds_in: |path| path.starts_with("src/"),
        broken_at: |source| if source.text.starts_with("//! ") { Vec::new() } else { vec![1] },
    },
];

fn is_source(path: &str) -> bool {
    ["src/", "entity/", "migration/", "standin/", "bench/"].iter().any(|folder| path.starts_with(folder))
}

fn longer_than(most: usize, source: &Source) -> Vec<usize> {
    if source.lines > most { vec![most + 1] } else { Vec::new() }
}

/// Lists every rule about files that this one breaks.
fn broken_rules(source: &Source) -> Vec<String> {
    let broken_lines = |rule: &Rule| {
        let lines = if (rule.holds_in)(&source.path) { (rule.broken_at)(source) } else { Vec::new() };
        lines.into_iter().map(|line| format!("{}:{line} {}", source.path, rule.says)).collect::<Vec<_>>()
    };
    RULES.iter().flat_map(broken_lines).collect()
}

/// The lines on which types begin that derive a trait of poem-openapi and one of utoipa.
fn types_described_twice(tokens: &[Token]) -> Vec<usize> {
    let poem_openapi = ["Object", "Enum", "Union", "NewType", "Multipart", "ApiResponse"];
    let utoipa = ["ToSchema", "ToResponse", "IntoParams", "IntoResponses"];
    let mut lines = Vec::new();
    let mut derived: Vec<&str> = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if matches(&tokens[i..], &["#", "["]) {
            let end = closing(tokens, i + 1);
            if matches(&tokens[i + 2..], &["derive", "("]) {
                derived.extend(tokens[i + 4..end].iter().map(|token| token.text.as_str()));
            }
            i = end + 1;
            continue;
        }
        if [&poem_openapi[..], &utoipa[..]].iter().all(|names| names.iter().any(|name| derived.contains(name))) {
            lines.push(tokens[i].line);
        }
        derived.clear();
        i += 1;
    }
    lines
}

/// Words that a migration may not have, in capitals.
const REFUSED_IN_SCHEMAS: &[&str] = &[
    "EXECUTE_UNPREPARED",
    "CREATE TRIGGER",
    "SEQUENCE",
    "SERIAL",
    "AS IDENTITY",
    "AUTOINCREMENT",
    "CONCURRENTLY",
    "LOCK TABLE",
    " PUBLIC.",
];

/// First words of a sentence with a relative clause instead of a name. A doc comment begins with a noun phrase or a verb.
const QUESTION_WORDS: &[&str] = &["what", "whether", "how", "who", "whose", "whoever", "by", "where", "when", "which"];

/// Doc comments that may begin with a question word: the file, the beginning of the comment, and the reason.
const QUESTIONS_ALLOWED: &[(&str, &str, &str)] = &[];

/// Lines of the doc comments that begin with a question word.
fn question_words(source: &Source) -> Vec<usize> {
    let docs = |line: &str| {
        let line = line.trim_start();
        let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
        (!text.starts_with('/')).then(|| text.trim_start().to_owned())
    };
    let mut previous_is_doc = false;
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let text = docs(line);
        let is_doc = text.is_some();
        let text = text.filter(|_| !previous_is_doc).unwrap_or_default();
        let allowed = |(path, start, _): &&(&str, &str, &str)| *path == source.path && text.starts_with(start);
        let first = text.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
        if QUESTION_WORDS.contains(&first.as_str()) && !QUESTIONS_ALLOWED.iter().any(|entry| allowed(&entry)) {
            found.push(index + 1);
        }
        previous_is_doc = is_doc;
    }
    found
}

// ---- Reading a source file ----------------------------------------------------------------------------------------

/// A source file, read for the rules.
struct Source {
    /// From the root of the repository, with `/`.
    path: String,
    text: String,
    /// Without comments, the insides of literals, and modules under `#[cfg(test)]`.
    tokens: Vec<Token>,
    /// Number of lines before a `#[cfg(test)]` module that ends the file.
    lines: usize,
    /// Files of the modules that it declares under `#[cfg(test)]`.
    test_files: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let mut source = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens: tokens(text),
            lines: text.lines().count(),
            test_files: Vec::new(),
        };
        while source.drop_a_test_module() {}
        source
    }

    /// Removes one module under `#[cfg(test)]`; `false` where there is none any more.
    fn drop_a_test_module(&mut self) -> bool {
        let found = (0..self.tokens.len()).find_map(|i| Some((i, i + test_module(&self.tokens[i..])?)));
        let Some((start, name)) = found else { return false };
        let after = self.tokens.get(name + 1);
        let end = if after.is_some_and(|token| token.text == "{") { closing(&self.tokens, name + 1) } else { name + 1 };
        if after.is_some_and(|token| token.text == ";") {
            let folder = self.path.trim_end_matches(".rs").trim_end_matches("/lib").trim_end_matches("/main");
            self.test_files.push(format!("{folder}/{}.rs", self.tokens[name].text));
        } else if end + 1 >= self.tokens.len() {
            self.lines = self.tokens[start].line - 1;
        }
        self.tokens.drain(start..self.tokens.len().min(end + 1));
        true
    }
}

/// Index of the module's name, if the tokens begin with a module under `#[cfg(test)]`.
fn test_module(tokens: &[Token]) -> Option<usize> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let visibility = ["pub", "(", "crate", "super", ")"];
    let rest = matches(tokens, &attribute).then(|| &tokens[attribute.len()..])?;
    let keyword = rest.iter().position(|token| !visibility.contains(&token.text.as_str()))?;
    let is_module = rest[keyword].text == "mod" && rest.len() > keyword + 1;
    is_module.then_some(attribute.len() + keyword + 1)
}

/// Reads sources, and empties those that others declare under `#[cfg(test)]`.
fn read(files: Vec<(String, String)>) -> Vec<Source> {
    let mut sources: Vec<_> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
    let tests: Vec<_> = sources.iter().flat_map(|source| source.test_files.clone()).collect();
    let within = |path: &str, test: &String| path == test || path.starts_with(&test.replace(".rs", "/"));
    for source in &mut sources {
        if tests.iter().any(|test| within(&source.path, test)) {
            source.tokens.clear();
        }
    }
    sources
}

fn matches(tokens: &[Token], wanted: &[&str]) -> bool {
    tokens.len() >= wanted.len() && tokens.iter().zip(wanted).all(|(token, wanted)| token.text == *wanted)
}

/// The lines on which the sequence of tokens begins.
fn lines_of(tokens: &[Token], wanted: &[&str]) -> Vec<usize> {
    (0..tokens.len()).filter(|&i| matches(&tokens[i..], wanted)).map(|i| tokens[i].line).collect()
}

/// The index of the bracket that closes the one at `open`; the last token when there is none.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return i;
        }
    }
    tokens.len().saturating_sub(1)
}

/// Cuts code into words, `::`, `=>` and single signs.
fn tokens(text: &str) -> Vec<Token> {
    let code: Vec<char> = blank(text).chars().collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < code.len() {
        let length = match code[i..] {
            [c, ..] if is_word(c) => code[i..].iter().take_while(|&&c| is_word(c)).count(),
            [':', ':', ..] | ['=', '>', ..] => 2,
            _ => 1,
        };
        if !code[i].is_whitespace() {
            tokens.push(Token { text: code[i..i + length].iter().collect(), line });
        }
        line += usize::from(code[i] == '\n');
        i += length;
    }
    tokens
}

/// The text with comments and literals replaced by spaces, line by line.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let after_word = i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_');
        let skipped = comment_length(&chars[i..]).or_else(|| literal_length(&chars[i..], after_word));
        match skipped {
            Some(length) => {
                let end = chars.len().min(i + length);
                code.extend(chars[i..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
                i = end;
            }
            None => {
                code.push(chars[i]);
                i += 1;
            }
        }
    }
    code
}

fn comment_length(rest: &[char]) -> Option<usize> {
    match rest {
        ['/', '/', ..] => Some(rest.iter().take_while(|&&c| c != '\n').count()),
        ['/', '*', ..] => {
            let (mut depth, mut i) = (1, 2);
            while depth > 0 && i < rest.len() {
                match rest[i..] {
                    ['/', '*', ..] => (depth, i) = (depth + 1, i + 2),
                    ['*', '/', ..] => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
            }
            Some(i)
        }
        _ => None,
    }
}

fn literal_length(rest: &[char], after_word: bool) -> Option<usize> {
    match rest {
        ['"', ..] => Some(quoted_length(rest)),
        ['r' | 'b' | 'c', ..] if !after_word => {
            let prefix = rest.iter().take_while(|c| ['r', 'b', 'c'].contains(c)).count();
            let hashes = rest[prefix..].iter().take_while(|&&c| c == '#').count();
            let raw = rest[..prefix].contains(&'r') && prefix <= 2 && rest.get(prefix + hashes) == Some(&'"');
            raw.then(|| {
                let start = prefix + hashes + 1;
                let is_end = |i: &usize| {
                    rest[*i] == '"' && rest[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes
                };
                (start..rest.len()).find(is_end).map_or(rest.len(), |end| end + 1 + hashes)
            })
        }
        ['\'', '\\', ..] => Some(quoted_length(rest)),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// The length of a literal in the quotes it begins with; a backslash protects the next character.
fn quoted_length(rest: &[char]) -> usize {
    let mut i = 1;
    while i < rest.len() && rest[i] != rest[0] {
        i += if rest[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

// ---- Finding paths ------------------------------------------------------------------------------------------------

/// Every path in the code with its line: of `use`, taken apart to its leaves, and inline ones such as `crate::a::b()`.
fn paths(tokens: &[Token]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if tokens[i].text == "use" {
            i = use_tree(tokens, i + 1, &[], &mut found);
        } else if is_name(&tokens[i]) {
            let line = tokens[i].line;
            let continues =
                i >= 2 && tokens[i - 1].text == "::" && (is_name(&tokens[i - 2]) || tokens[i - 2].text == ">");
            let mut path = vec![tokens[i].text.clone()];
            while matches(&tokens[i + 1..], &["::"]) && tokens.get(i + 2).is_some_and(is_name) {
                path.push(tokens[i + 2].text.clone());
                i += 2;
            }
            if path.len() > 1 && !continues {
                found.push((line, path));
            }
        }
        i += 1;
    }
    found
}

fn is_name(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads one branch of a `use` from `i` on; returns the index of the sign that ends it.
fn use_tree(tokens: &[Token], mut i: usize, prefix: &[String], found: &mut Vec<(usize, Vec<String>)>) -> usize {
    let mut path = prefix.to_vec();
    let line = tokens.get(i).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(i) {
        match token.text.as_str() {
            "{" => {
                while tokens.get(i).is_some_and(|token| token.text == "{" || token.text == ",") {
                    i = use_tree(tokens, i + 1, &path, found);
                }
                return i + 1;
            }
            "," | ";" | "}" => break,
            "as" => i += 1,
            "self" if !prefix.is_empty() => {}
            "::" | "*" => {}
            name => path.push(name.to_owned()),
        }
        i += 1;
    }
    if path.len() > prefix.len()
        || tokens.get(i.wrapping_sub(1)).is_some_and(|last| ["self", "*"].contains(&&*last.text))
    {
        found.push((line, path));
    }
    i
}

// ---- The tests ----------------------------------------------------------------------------------------------------

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the repository, by its path from the root, but for built, stored or fetched ones.
fn files(folder: &Path) -> Vec<String> {
    let left_out = ["target", "data", ".git", "node_modules"];
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() && !left_out.contains(&name.as_str()) {
            found.extend(files(&path).into_iter().map(|inner| format!("{name}/{inner}")));
        } else if path.is_file() {
            found.push(name);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<Source> {
    let rust = files(&root()).into_iter().filter(|path| path.ends_with(".rs"));
    read(rust.map(|path| (path.clone(), fs::read_to_string(root().join(&path)).unwrap_or_default())).collect())
}

/// The crates that the root crate depends on, as code names them.
fn crates() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap_or_default();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let names = section.lines().take_while(|line| !line.starts_with('['));
    names.filter_map(|line| line.split(['.', ' ', '=']).next()).map(|name| name.replace('-', "_")).collect()
}

/// Fails with everything that is broken, one thing a paragraph.
fn demand_nothing(broken: Vec<String>) {
    assert!(broken.is_empty(), "{} broken:\n\n{}\n", broken.len(), broken.join("\n\n"));
}

#[test]
fn arrows_point_down_and_never_sideways() {
    let crates = crates();
    assert!(crates.iter().any(|name| name == "poem_openapi"), "the dependencies were not found in Cargo.toml");
    let sources = sources();
    let governed = sources.iter().filter(|source| Row::of(&source.path).is_some()).count();
    assert!(governed >= 10, "only {governed} governed files were found: the search is broken");
    demand_nothing(sources.iter().flat_map(|source| broken_arrows(source, &crates)).collect());
}

#[test]
fn a_room_uses_those_before_it() {
    demand_nothing(sources().iter().flat_map(broken_rooms).collect());
}

#[test]
fn the_pipeline_names_no_product() {
    let products = ["slack", "github", "telex", "rocket", "botpress", "linkbreakers", "boomerang"];
    let rooms = ["src/app/pipeline", "src/domain/pipeline", "src/store/pipeline", "src/worker"];
    let mut broken = Vec::new();
    for path in files(&root()).iter().filter(|path| rooms.iter().any(|room| path.starts_with(room))) {
        let text = fs::read_to_string(root().join(path)).unwrap();
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            let named = products.iter().filter(|product| line.contains(**product));
            broken.extend(named.map(|product| format!("{path}:{} names {product}", number + 1)));
        }
    }
    demand_nothing(broken);
}

#[test]
fn files_keep_the_rules() {
    demand_nothing(sources().iter().flat_map(broken_rules).collect());
}

#[test]
fn doc_comments_begin_with_a_noun_or_a_verb() {
    let broken = |source: &Source| {
        let message = |line| format!("{}:{line} a doc comment begins with a noun phrase or a verb", source.path);
        question_words(source).into_iter().map(message).collect::<Vec<_>>()
    };
    demand_nothing(sources().iter().flat_map(broken).collect());
}

#[test]
fn the_architecture_document_shows_the_same_table() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap_or_default();
    let missing = TABLE.iter().map(Row::markdown).filter(|row| !document.contains(row));
    demand_nothing(missing.map(|row| format!("ARCHITECTURE.md has to show the row\n    {row}")).collect());
}
