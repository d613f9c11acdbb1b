//! Writes the modules of a crate, a client for each named document: `rust-clients FOLDER DOCUMENT...`.
//!
//! The rest of the crate is in `sdk/rust`. A document is a copy made by `generator_copy.py rust`, and its file name is the name of the module.

use std::{env, error::Error, fs, path::Path};

use progenitor::{GenerationSettings, Generator, InterfaceStyle};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("usage: rust-clients FOLDER DOCUMENT...")?;
    let source = Path::new(&folder).join("src");
    fs::create_dir_all(&source)?;
    let mut root = String::from(
        "//! Clients of Tieline's HTTP dialects, a module each, and the verification of its webhooks.\n\n\
         pub mod webhooks;\n",
    );
    for document in arguments {
        let name = Path::new(&document).file_stem().and_then(|name| name.to_str()).ok_or("a document has no name")?;
        let code = client(&document).map_err(|error| format!("{document}: {error}"))?;
        write(&source.join(name).with_extension("rs"), &code)?;
        root += &format!("pub mod {name};\n");
    }
    write(&source.join("lib.rs"), &root)?;
    Ok(())
}

/// Writes a file unless its content is the same already: cargo rebuilds every written file.
fn write(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    Ok(fs::write(path, text)?)
}

/// Source of one document's client.
fn client(document: &str) -> Result<String, Box<dyn Error>> {
    let document = serde_json::from_str(&fs::read_to_string(document)?)?;
    let mut settings = GenerationSettings::new();
    // A call names its members, and leaves out the others.
    settings.with_interface(InterfaceStyle::Builder);
    let tokens = Generator::new(&settings).generate_tokens(&document)?;
    Ok(prettyplease::unparse(&syn::parse2(tokens)?))
}
