// SPDX-License-Identifier: Apache-2.0

//! Pinned tools: programs that task types name by the hash of their file, and that automatic
//! members of a panel run.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};
use tos_sdk::error::{Error, Result};
use tos_types::{content::content_hash, json::to_hex, ContentHash};

/// A tool: a copy of its file, under a name that says what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    hash: ContentHash,
    path: PathBuf,
}

impl Tool {
    /// Copies the file at `from` into `folder`, where nothing but this program changes it.
    pub fn adopt(from: &Path, folder: &Path) -> Result<Self> {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        let usage =
            |error: std::io::Error| Error::Usage(format!("tool {}: {error}", from.display()));
        let bytes = std::fs::read(from).map_err(usage)?;
        let hash = content_hash(&bytes);
        let mut builder = std::fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(usage)?;
        let path = folder.join(to_hex(&hash).trim_start_matches("0x"));
        // Written under another name first: a crash leaves no half of a tool.
        let draft = path.with_extension("new");
        std::fs::write(&draft, &bytes).map_err(usage)?;
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o500)).map_err(usage)?;
        std::fs::rename(&draft, &path).map_err(usage)?;
        Ok(Self { hash, path })
    }

    /// The shell command that runs it. An error when the file is no longer what was pinned.
    pub fn command(&self) -> Result<String> {
        let bytes = std::fs::read(&self.path)
            .map_err(|error| Error::Failed(format!("tool {}: {error}", self.path.display())))?;
        if content_hash(&bytes) != self.hash {
            return Err(Error::Failed(format!(
                "tool {}: its content has changed",
                self.path.display()
            )));
        }
        let quoted = self.path.display().to_string().replace('\'', r"'\''");
        Ok(format!("'{quoted}'"))
    }
}

/// The tools a judge has, by hash.
#[derive(Clone, Debug, Default)]
pub struct Tools(HashMap<ContentHash, Tool>);

impl Tools {
    /// Takes copies of these files.
    pub fn adopt(files: &[PathBuf], folder: &Path) -> Result<Self> {
        let mut tools = HashMap::new();
        for file in files {
            let tool = Tool::adopt(file, folder)?;
            tracing::info!(file = %file.display(), hash = to_hex(&tool.hash), "tool ready");
            tools.insert(tool.hash, tool);
        }
        Ok(Self(tools))
    }

    /// The tool with this hash.
    pub fn get(&self, hash: &ContentHash) -> Option<Tool> {
        self.0.get(hash).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_known_by_its_content_and_runs_only_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it's a tool");
        std::fs::write(&file, "#!/bin/sh\necho hello\n").unwrap();
        let tools = Tools::adopt(std::slice::from_ref(&file), &folder.path().join("it's")).unwrap();
        let hash = content_hash(b"#!/bin/sh\necho hello\n");
        let tool = tools.get(&hash).unwrap();
        // Changing the original changes nothing.
        std::fs::write(&file, "#!/bin/sh\necho something else\n").unwrap();
        let run = |command: &str| {
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", command])
                .output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        assert_eq!(run(&tool.command().unwrap()), "hello\n");
        std::fs::remove_file(&tool.path).unwrap();
        std::fs::write(&tool.path, "#!/bin/sh\necho forged\n").unwrap();
        assert!(tool.command().is_err());
        assert_eq!(tools.get(&[0; 32]), None);
        let missing = Tools::adopt(&[folder.path().join("none")], folder.path());
        assert_eq!(missing.err().unwrap().exit_code(), 2);
    }
}
