//! Every published document, built from the one list of dialects: everything served is documented, and everything
//! documented is served.
//!
//! `tieline openapi` writes them to `openapi/`, where a review sees the changes; `--check` finds drift. A process serves
//! and enforces the files that were there when it was compiled, so that a start builds nothing.

mod assemble;
mod examples;
mod headers;
mod hoist;
mod links;
mod names;
mod publish;
mod tidy;
mod upgrade;
mod webhooks;

use std::{fs, path::Path, sync::LazyLock};

use serde_json::Value;

use crate::{
    api::{
        self,
        shared::{
            asset::{Asset, Caching},
            documents,
        },
    },
    domain::{Error, Result},
};

/// Compressed text of each document, by name.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/documents.rs"));

/// Name and title of the document of all dialects.
const ASSEMBLED: (&str, &str) = ("tieline", "Everything");

/// A document as it is built from the code.
pub struct Document {
    /// Name of its file, `<name>.json`.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// Content of the document.
    pub value: Value,
}

impl Document {
    /// Serialises the document, always in the same way.
    pub fn text(&self) -> String {
        format!("{:#}\n", self.value)
    }
}

/// All documents as they are built from the code.
pub struct Documents {
    /// All dialects in one document, OpenAPI 3.1.
    pub assembled: Document,
    /// One document for each dialect, in the order of `api::ALL`.
    pub dialects: Vec<Document>,
}

impl Documents {
    /// Returns every document, the assembled one first.
    pub fn all(&self) -> impl Iterator<Item = &Document> {
        std::iter::once(&self.assembled).chain(&self.dialects)
    }
}

/// All published documents as this binary has them embedded.
pub fn published() -> &'static documents::Documents {
    static EMBEDDED: LazyLock<documents::Documents> = LazyLock::new(|| documents::Documents {
        assembled: embedded(ASSEMBLED.0, ASSEMBLED.1),
        dialects: api::ALL.iter().map(|dialect| embedded(dialect.name, dialect.title)).collect(),
    });
    &EMBEDDED
}

/// Returns an embedded document. One without a file, of a dialect that was never published, is empty.
fn embedded(name: &'static str, title: &'static str) -> documents::Document {
    let found = EMBEDDED.iter().find(|(known, _)| *known == name);
    let text = Asset::packed("application/json", found.map_or(&[][..], |(_, text)| text), Caching::Revalidate);
    documents::Document::new(name, title, text)
}

/// All published documents, built. They depend on the code alone, so a process builds them once.
///
/// # Errors
/// [`Error::Internal`] naming the defect of a document: a bug that the tests find.
pub fn documents() -> Result<&'static Documents> {
    static BUILT: LazyLock<Result<Documents, String>> = LazyLock::new(build);
    BUILT.as_ref().map_err(|reason| Error::Internal(reason.clone()))
}

fn build() -> Result<Documents, String> {
    let publish = |dialect: &api::shared::dialect::Dialect| {
        publish::publish(dialect).map(|value| Document { name: dialect.name, title: dialect.title, value })
    };
    let dialects: Vec<Document> = api::ALL.iter().map(publish).collect::<Result<_, _>>()?;
    let value = assemble::assemble(api::ALL, &dialects)?;
    Ok(Documents { assembled: Document { name: ASSEMBLED.0, title: ASSEMBLED.1, value }, dialects })
}

/// Writes every document into a folder.
///
/// # Errors
/// [`Error::Internal`] when a document cannot be built or a file not be written.
pub fn write(folder: &Path) -> Result<()> {
    for document in documents()?.all() {
        let path = folder.join(format!("{}.json", document.name));
        fs::write(&path, document.text())
            .map_err(|error| Error::Internal(format!("{} cannot be written: {error}", path.display())))?;
    }
    Ok(())
}

/// Outdated files, one a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Drift(pub Vec<String>);

/// Compares the files of a folder with the built documents.
///
/// # Errors
/// A line for each file that is missing or differs, or for the defect of a document.
pub fn check(folder: &Path) -> Result<(), Drift> {
    let documents = documents().map_err(|error| Drift(vec![error.to_string()]))?;
    let differs = |document: &Document| {
        let path = folder.join(format!("{}.json", document.name));
        match fs::read(&path) {
            Ok(found) if found == document.text().as_bytes() => None,
            Ok(_) => Some(format!("{} is not up to date; run `tieline openapi`", path.display())),
            Err(error) => Some(format!("{} cannot be read: {error}", path.display())),
        }
    };
    let broken: Vec<_> = documents.all().filter_map(differs).collect();
    if broken.is_empty() { Ok(()) } else { Err(Drift(broken)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_up_to_date() {
        let folder = std::env::temp_dir().join(format!("tieline-openapi-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(check(&folder).unwrap_err().0.len(), api::ALL.len() + 1);
        write(&folder).unwrap();
        assert_eq!(check(&folder), Ok(()));
        fs::write(folder.join("tieline.json"), "{}").unwrap();
        let Drift(told) = check(&folder).unwrap_err();
        assert!(told.len() == 1 && told[0].contains("tieline.json"), "{told:?}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_served_is_what_the_code_publishes_and_can_be_enforced() {
        for (built, served) in documents().unwrap().all().zip(published().all()) {
            assert_eq!((built.name, built.title), (served.name, served.title));
            let text = served.text.content().unwrap();
            assert!(text == built.text().as_bytes(), "openapi/{}.json is outdated: run `tieline openapi`", built.name);
        }
        for document in &published().dialects {
            for responses in [false, true] {
                document.contract(responses).unwrap();
            }
        }
    }

    #[test]
    fn every_path_is_mounted() {
        for (dialect, document) in api::ALL.iter().zip(&documents().unwrap().dialects) {
            for (path, _) in document.value["paths"].as_object().into_iter().flatten() {
                let within = |prefix: &&str| {
                    path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                assert!(dialect.prefixes.iter().any(within), "{path} is under no prefix of {}", dialect.name);
            }
        }
    }
}
