//! Names in the documents: every path of the repository, every `make` target and every test filter that a Markdown file
//! names has to exist.
//!
//! Not here: commands that are run (`tests/docs.rs`), prose outside of code and links, and addresses of other hosts.

use std::{collections::BTreeSet, fs, path::Path};

/// Names that do not exist in the repository, each with the reason. One that ends in `/` stands for all below it.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("mod.rs", "the file name that the source tree does without"),
    ("name.rs", "stands for any module, in the rule for file names"),
    ("src/tieline", "a folder of the reader's own project, for a generated client"),
    ("target/", "built, not kept in the repository"),
];

/// Endings by which a single word of code counts as a file.
const ENDINGS: &[&str] =
    &[".rs", ".md", ".toml", ".yaml", ".yml", ".json", ".py", ".ts", ".mjs", ".js", ".sh", ".svg", ".png"];

/// Folders that are built, stored or fetched.
const LEFT_OUT: &[&str] = &["target", "data", ".git", "node_modules"];

/// The names that a document may use.
#[derive(Default)]
struct Repository {
    /// Files and folders, by their path from the root.
    paths: BTreeSet<String>,
    /// Targets of the Makefile.
    targets: BTreeSet<String>,
    /// Functions below `tests/`, as `cargo test` writes them: `binary::disks::each_write`.
    tests: BTreeSet<String>,
}

/// A name in a document, as it is written there.
#[derive(Debug, PartialEq)]
enum Name {
    /// Target of a link, relative to the document.
    Link(String),
    /// A path, from the root or relative to the document; braces, `*` and `<placeholders>` stand for several.
    Path(String),
    /// `make` and this.
    Target(String),
    /// `cargo test --test tests` and this.
    Test(String),
}

impl Repository {
    fn read(root: &Path) -> Self {
        let mut repository = Self::default();
        repository.collect(root, "");
        let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
        repository.targets = targets(&text("Makefile"));
        let sources = repository.paths.iter().filter(|path| path.starts_with("tests/") && path.ends_with(".rs"));
        repository.tests = sources.flat_map(|path| tests(path, &text(path))).collect();
        repository
    }

    fn collect(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            let path = format!("{prefix}{name}");
            if entry.path().is_dir() {
                self.collect(&entry.path(), &format!("{path}/"));
            }
            self.paths.insert(path);
        }
    }

    fn documents(&self) -> impl Iterator<Item = &String> {
        self.paths.iter().filter(|path| path.ends_with(".md"))
    }

    fn is_top_level(&self, name: &str) -> bool {
        LEFT_OUT.contains(&name) || self.paths.contains(name)
    }

    /// Returns whether a path, or one that a pattern with `*` matches, exists.
    fn has(&self, pattern: &str) -> bool {
        let pattern = pattern.trim_end_matches('/');
        if pattern.contains('*') {
            self.paths.iter().any(|path| matches(pattern.as_bytes(), path.as_bytes()))
        } else {
            pattern.is_empty() || self.paths.contains(pattern)
        }
    }

    /// Returns whether every path that `word` stands for exists, relative to a document in `folder`.
    fn has_path(&self, folder: &str, word: &str) -> bool {
        let anywhere = |path: &str| {
            let ending = format!("/{path}");
            self.paths.iter().any(|known| known.ends_with(&ending))
        };
        let from_root = word.split_once('/').is_some_and(|(first, _)| self.is_top_level(first));
        expand(&starred(word))
            .iter()
            .all(|path| self.has(path) || self.has(&resolve(folder, path)) || (!from_root && anywhere(path)))
    }

    /// Why a name of a document in `folder` is wrong.
    fn refuse(&self, folder: &str, name: &Name) -> Option<String> {
        match name {
            Name::Link(target) => {
                let path = resolve(folder, target);
                (!self.has(&path)).then(|| format!("links to {target}, which does not exist"))
            }
            Name::Path(word) => (!self.has_path(folder, word)).then(|| format!("names `{word}`, which does not exist")),
            Name::Target(target) => {
                (!self.targets.contains(target)).then(|| format!("names `make {target}`, which is no target"))
            }
            Name::Test(filter) => {
                let found = self.tests.iter().any(|test| test.contains(filter.as_str()));
                (!found).then(|| format!("names the test {filter}, which matches none"))
            }
        }
    }

    /// All wrong names of a document, a line each; exceptions that it needs go into `used`.
    fn check(&self, path: &str, text: &str, used: &mut BTreeSet<&'static str>) -> Vec<String> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut broken = Vec::new();
        for (line, name) in names(text, |first| self.is_top_level(first)) {
            let Some(why) = self.refuse(folder, &name) else { continue };
            match excepted(&name) {
                Some(exception) => drop(used.insert(exception)),
                None => broken.push(format!("{path}:{line} {why}")),
            }
        }
        broken
    }
}

fn excepted(name: &Name) -> Option<&'static str> {
    let (Name::Path(word) | Name::Link(word)) = name else { return None };
    let covers = |exception: &str| word == exception || (exception.ends_with('/') && word.starts_with(exception));
    EXCEPTIONS.iter().map(|(exception, _)| *exception).find(|exception| covers(exception))
}

fn targets(makefile: &str) -> BTreeSet<String> {
    let rules = makefile.lines().filter_map(|line| line.split_once(':'));
    rules.map(|(target, _)| target.to_owned()).filter(|target| is_target(target)).collect()
}

fn is_target(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The functions of a file below `tests/`, with the modules that its path makes.
fn tests(path: &str, text: &str) -> Vec<String> {
    let modules = path.trim_start_matches("tests/").trim_end_matches(".rs").replace('/', "::");
    let after = text.split("fn ").skip(1);
    let names = after.filter_map(|rest| rest.split(['(', '<']).next());
    names.map(|name| format!("{modules}::{name}")).collect()
}

/// The names in a document with their lines.
fn names(text: &str, is_top_level: impl Fn(&str) -> bool) -> Vec<(usize, Name)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        let mut add = |names: Vec<Name>| found.extend(names.into_iter().map(|name| (index + 1, name)));
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            add(of_command(line, &is_top_level));
        } else {
            add(links(&line.split('`').step_by(2).collect::<String>()));
        }
        if !fenced {
            line.split('`').skip(1).step_by(2).for_each(|code| add(of_code(code, &is_top_level)));
        }
    }
    found
}

/// Links to files in a line without its code. A fragment is left out.
fn links(line: &str) -> Vec<Name> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let here = targets.filter(|target| !target.contains(':')).filter_map(|target| target.split('#').next());
    here.filter(|path| !path.is_empty()).map(|path| Name::Link(path.to_owned())).collect()
}

/// Names in a piece of inline code: a path by itself, or a command.
fn of_code(code: &str, is_top_level: &impl Fn(&str) -> bool) -> Vec<Name> {
    let word = trimmed(code);
    let is_file = ENDINGS.iter().any(|ending| word.len() > ending.len() && word.ends_with(ending));
    if is_file && is_relative(word) && !from_root(word, is_top_level) {
        return vec![Name::Path(word.to_owned())];
    }
    of_command(code, is_top_level)
}

/// Names in a command: its target, its test filter, and paths from the root.
fn of_command(text: &str, is_top_level: &impl Fn(&str) -> bool) -> Vec<Name> {
    let mut found = Vec::new();
    let words: Vec<&str> = text.split_whitespace().collect();
    if let Some(rest) = text.trim_start().strip_prefix("make ")
        && let Some(target) = rest.split(' ').next().filter(|word| is_target(word))
    {
        found.push(Name::Target(target.to_owned()));
    }
    let is_filter = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c));
    if let Some(at) = words.windows(2).position(|pair| pair == ["--test", "tests"])
        && let Some(filter) = words.get(at + 2).filter(|word| is_filter(word))
    {
        found.push(Name::Test((*filter).to_owned()));
    }
    let words = words.into_iter().map(trimmed);
    let paths = words.filter(|word| is_relative(word) && from_root(word, is_top_level));
    found.extend(paths.map(|word| Name::Path(word.to_owned())));
    found
}

/// A word without the signs around it, and without the number of a line.
fn trimmed(word: &str) -> &str {
    let word = word.trim_matches(['"', '\'', '(', ')', '[', ']', ',', ';', ':']).trim_end_matches('.');
    match word.rsplit_once(':') {
        Some((path, line)) if !line.is_empty() && line.chars().all(|c| c.is_ascii_digit()) => path,
        _ => word,
    }
}

/// Returns whether a word may be a relative path, by its characters.
fn is_relative(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric() || ".{<*".contains(c))
        && !word.starts_with("./")
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/{},<>*".contains(c))
}

fn from_root(word: &str, is_top_level: &impl Fn(&str) -> bool) -> bool {
    word.split_once('/').is_some_and(|(first, _)| is_top_level(first))
}

/// `*` in the place of each `<placeholder>`.
fn starred(word: &str) -> String {
    let mut parts = word.split('<');
    let mut pattern = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        pattern.push('*');
        pattern.push_str(part.split_once('>').map_or("", |(_, rest)| rest));
    }
    pattern
}

/// The paths that braces stand for.
fn expand(word: &str) -> Vec<String> {
    let Some((before, rest)) = word.split_once('{') else { return vec![word.to_owned()] };
    let Some((choices, after)) = rest.split_once('}') else { return vec![word.to_owned()] };
    choices.split(',').flat_map(|choice| expand(&format!("{before}{choice}{after}"))).collect()
}

/// A path seen from a folder, from the root.
fn resolve(folder: &str, path: &str) -> String {
    let mut resolved: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(resolved.pop()),
            "." | "" => {}
            name => resolved.push(name),
        }
    }
    resolved.join("/")
}

/// Returns whether a path matches a pattern in which `*` stands for any characters but `/`.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', rest @ ..] => {
            matches(rest, path)
                || path.split_first().is_some_and(|(sign, tail)| *sign != b'/' && matches(pattern, tail))
        }
        [sign, rest @ ..] => path.split_first().is_some_and(|(first, tail)| first == sign && matches(rest, tail)),
    }
}

#[test]
fn every_name_in_the_documents_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let repository = Repository::read(root);
    assert!(repository.documents().count() >= 10, "the search for documents is broken");
    let mut used = BTreeSet::new();
    let mut broken: Vec<String> = Vec::new();
    for path in repository.documents() {
        let text = fs::read_to_string(root.join(path)).unwrap();
        broken.extend(repository.check(path, &text, &mut used));
    }
    let unused = EXCEPTIONS.iter().filter(|(name, _)| !used.contains(name));
    broken.extend(unused.map(|(name, _)| format!("the exception {name} is not needed any more")));
    assert!(broken.is_empty(), "{} broken:\n\n{}\n", broken.len(), broken.join("\n"));
}

mod checker {
    //! The checker, checked: it finds each kind of wrong name, and nothing else.

    use super::*;

    fn check(path: &str, text: &str) -> Vec<String> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let repository = Repository {
            paths: set(&[
                "README.md",
                "docs",
                "docs/guide",
                "docs/guide/start.md",
                "docs/sdk.md",
                "openapi",
                "openapi/native.json",
                "src",
                "src/api",
                "src/api/native",
                "src/api/native/wire.rs",
                "src/api/telex",
                "src/api/telex/wire.rs",
            ]),
            targets: targets(".PHONY: run\nX := a:b\nrun: ## Run\n\t@x\nopenapi-check: run\n"),
            tests: tests("tests/binary/disks.rs", "async fn each_write() {}\nfn half<T>() {}").into_iter().collect(),
        };
        repository.check(path, text, &mut BTreeSet::new())
    }

    #[test]
    fn wrong_names_are_found_with_their_lines() {
        for (text, why) in [
            ("See [the guide](docs/guide/stop.md).", "links to docs/guide/stop.md, which does not exist"),
            ("[a](docs/sdk.md#x) and [b](sdk.md)", "links to sdk.md, which does not exist"),
            ("![a picture](docs/images/a.png)", "links to docs/images/a.png, which does not exist"),
            ("The rule is in `src/api/rules.rs`.", "names `src/api/rules.rs`, which does not exist"),
            ("`src/app/`", "names `src/app/`, which does not exist"),
            (
                "`src/api/{native,boomerang}/wire.rs`",
                "names `src/api/{native,boomerang}/wire.rs`, which does not exist",
            ),
            ("`src/api/<dialect>/error.rs`", "names `src/api/<dialect>/error.rs`, which does not exist"),
            ("`shape.rs`", "names `shape.rs`, which does not exist"),
            ("`src/api/native/wire.rs` and `src/a.rs:12`", "names `src/a.rs`, which does not exist"),
            ("Say `make walk`.", "names `make walk`, which is no target"),
            ("```sh\nmake walk    # slowly\n```", "names `make walk`, which is no target"),
            ("```\npython3 docs/make.py\n```", "names `docs/make.py`, which does not exist"),
            ("    bash src/go.sh", "names `src/go.sh`, which does not exist"),
            (
                "| a | `cargo test --test tests binary::disks::no` |",
                "names the test binary::disks::no, which matches none",
            ),
        ] {
            let line = if text.starts_with("```") { 2 } else { 1 };
            assert_eq!(check("README.md", text), [format!("README.md:{line} {why}")], "{text}");
        }
    }

    #[test]
    fn right_names_pass() {
        for text in [
            "[a](docs/guide/start.md), [b](docs/sdk.md#top), [c](#here), [d](https://example.org/x.md), [e](docs)",
            "`src/api`, `src/api/`, `src/api/native/wire.rs`, `src/api/{native,telex}/wire.rs`, `src/api/<dialect>/wire.rs`",
            "`wire.rs`, `native.json`, `openapi/*.json`, `target/release/bench`, `name.rs`",
            "[`wire.rs`](src/api/native/wire.rs), `[a](b)`",
            "`GET /v1/events`, `docs.rs`-like `a/b`, `application/json`, `retention.days`, `./src/none.rs`, `/src/none.rs`",
            "Say `make run`, or `make openapi-check`; make haste. `make a=b`",
            "```\nmake                   lists the commands\nmake run   starts\n```",
            "`cargo test --test tests binary::disks`, `cargo test --test tests NAME`, `cargo test --test tests half`",
        ] {
            let text = text.replace("`docs.rs`-like ", "");
            assert_eq!(check("README.md", &text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(check("docs/guide/start.md", "[a](../sdk.md) `../sdk.md` `docs/sdk.md`"), Vec::<String>::new());
        assert_eq!(check("docs/guide/start.md", "[a](sdk.md)").len(), 1);
    }
}
