//! `docs/CONFORMANCE.md` names every folder of reference vectors, and every file of the folders that it has a section for.

use std::path::Path;
use std::{fs, io};

fn names(folder: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

#[test]
fn no_vector_is_left_out() {
    let vectors = viseme_testing::skip_without_shared!().join("vectors");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/CONFORMANCE.md");
    let page = fs::read_to_string(page).unwrap();
    let mut missing = Vec::new();
    for folder in names(&vectors).unwrap().into_iter().filter(|name| vectors.join(name).is_dir()) {
        if !page.contains(&format!("`{folder}`")) {
            missing.push(folder.clone());
        }
        let Some((_, section)) = page.split_once(&format!("### `{folder}`")) else { continue };
        let section = section.split("\n#").next().unwrap_or_default();
        let files = names(&vectors.join(&folder)).unwrap().into_iter().filter(|file| file != "README.md");
        missing.extend(files.filter(|file| !section.contains(file)).map(|file| format!("{folder}/{file}")));
    }
    assert!(missing.is_empty(), "not in docs/CONFORMANCE.md: {missing:?}");
}
