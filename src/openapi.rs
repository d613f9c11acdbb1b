//! Every published document, built from the one list of dialects: everything served is documented, and everything
//! documented is served.
//!
//! `tieline openapi` writes them to `openapi/`, where a review sees the changes; `--check` finds drift.

mod assemble;
mod examples;
mod headers;
mod links;
mod names;
mod publish;
mod upgrade;
mod webhooks;

use std::{fs, path::Path, sync::LazyLock};

use crate::{
    api::{
        self,
        shared::documents::{Document, Documents},
    },
    domain::{Error, Result},
};

/// All published documents. They depend on the code alone, so a process builds them once.
///
/// # Errors
/// [`Error::Internal`] naming the defect of a document: a bug that the tests find.
pub fn documents() -> Result<&'static Documents> {
    static BUILT: LazyLock<Result<Documents, String>> = LazyLock::new(build);
    BUILT.as_ref().map_err(|reason| Error::Internal(reason.clone()))
}

fn build() -> Result<Documents, String> {
    let publish = |dialect| publish::publish(dialect).map(|value| Document::new(dialect.name, dialect.title, value));
    let dialects: Vec<Document> = api::ALL.iter().map(publish).collect::<Result<_, _>>()?;
    let assembled = assemble::assemble(api::ALL, &dialects)?;
    Ok(Documents { assembled: Document::new("tieline", "Everything", assembled), dialects })
}

/// Writes every document into a folder.
///
/// # Errors
/// [`Error::Internal`] when a document cannot be built or a file not be written.
pub fn write(folder: &Path) -> Result<()> {
    for document in documents()?.all() {
        let path = folder.join(format!("{}.json", document.name));
        fs::write(&path, &document.text)
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
            Ok(found) if found == document.text => None,
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
