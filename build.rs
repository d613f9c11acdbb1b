//! Compresses the published documents, so that the binary carries them as they are sent.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=openapi");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let mut files: Vec<PathBuf> = fs::read_dir("openapi")?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let packed = out.join(format!("{name}.json.gz"));
        fs::write(&packed, compressed(file)?)?;
        list += &format!("    ({name:?}, include_bytes!({:?}) as &[u8]),\n", packed.to_string_lossy());
    }
    fs::write(out.join("documents.rs"), list + "]\n")
}

fn compressed(file: &Path) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&fs::read(file)?)?;
    encoder.finish()
}
