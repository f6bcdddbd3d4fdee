//! Links in a folder that came from elsewhere: a path of a sweep in; out, whether it stays in the sweep's folder. Names are checked by the
//! layout; this is about what the file system makes of them.

use std::path::Path;

use fs_err as fs;

use super::error::StoreError;

/// Refuses a path that a link leads out of the sweep's folder. Where there is nothing, or no link, it is let pass. The folder itself may be
/// reached by whatever links.
pub(super) fn stay_inside(root: &Path, paths: &[&Path]) -> Result<(), StoreError> {
    for path in paths {
        // `symlink_metadata` of something that is not there is no fault here: whoever reads it says so.
        if !std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
            continue;
        }
        let leads_out = || StoreError::Outside { path: path.to_path_buf() };
        let target = fs::canonicalize(path).map_err(|_| leads_out())?;
        if !target.starts_with(fs::canonicalize(root)?) {
            return Err(leads_out());
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_out_of_the_folder_is_refused_and_one_within_it_is_not() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("sweep");
        fs::create_dir_all(root.join("runs")).unwrap();
        fs::write(home.path().join("secret"), "hush").unwrap();
        fs::write(root.join("within"), "").unwrap();
        let link = |target: &str, name: &str| {
            symlink(target, root.join(name)).unwrap();
            stay_inside(&root, &[&root.join(name)])
        };
        assert!(link("within", "a").is_ok());
        assert!(stay_inside(&root, &[&root.join("within"), &root.join("runs"), &root.join("nothing")]).is_ok());
        for (target, name) in [("../secret", "b"), ("/etc/passwd", "c"), ("..", "d"), ("nowhere", "e"), ("f", "f")] {
            let error = link(target, name).unwrap_err();
            assert!(matches!(&error, StoreError::Outside { .. }) && error.to_string().contains(name), "{error}");
        }
        // The folder itself may be a link.
        symlink(&root, home.path().join("elsewhere")).unwrap();
        assert!(stay_inside(&home.path().join("elsewhere"), &[&home.path().join("elsewhere/a")]).is_ok());
    }
}
