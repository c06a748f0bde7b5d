// SPDX-License-Identifier: Apache-2.0

//! Runs a solver or a judge: any program, under limits.

use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

/// Most bytes of a program's error output that are kept for messages.
const STDERR_TAIL: usize = 2_048;
/// Room for JSON around the largest answer.
const MAX_OUTPUT: usize = 80 * 1024 * 1024;

/// Limits of a program.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall-clock time.
    pub time: Duration,
    /// Memory that each of its processes may write to, in MiB; 0 for no limit.
    pub memory_mib: u64,
    /// Bytes it may write to standard output.
    pub output: usize,
}

impl Limits {
    /// Limits of a program that writes answers or scores.
    pub fn of_worker(time: Duration, memory_mib: u64) -> Self {
        Self {
            time,
            memory_mib,
            output: MAX_OUTPUT,
        }
    }
}

/// Reason for which a program gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started or talked to.
    #[error("cannot run it: {0}")]
    Io(#[from] std::io::Error),
    /// It took longer than allowed and was killed with everything it had started.
    #[error("killed after {0:?}")]
    TimedOut(Duration),
    /// It wrote more than allowed and was killed.
    #[error("killed: more than {0} bytes of output")]
    TooMuchOutput(usize),
    /// It failed.
    #[error("{status}{}{}", after_colon(.stderr), limit_on_memory(.stderr, *.memory_mib))]
    Failed {
        /// Its end.
        status: std::process::ExitStatus,
        /// The end of its error output.
        stderr: String,
        /// Its limit on memory, in MiB; 0 for none.
        memory_mib: u64,
    },
}

fn after_colon(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}

/// The limit, where a program's last words speak of memory.
fn limit_on_memory(said: &str, mib: u64) -> String {
    let said = said.to_lowercase();
    if mib > 0 && (said.contains("memory") || said.contains("bad_alloc")) {
        format!(" (--memory-limit gives each of its processes {mib} MiB)")
    } else {
        String::new()
    }
}

/// A process group that dies with this value.
struct Group(Option<rustix::process::Pid>);

impl Group {
    fn kill(&self) {
        if let Some(leader) = self.0 {
            // Fails only when nothing of the group is left.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs `command` by the shell, gives it `input` and returns what it writes to standard output.
/// Dropping the future kills the program.
pub async fn run(command: &str, input: &[u8], limits: Limits) -> Result<Vec<u8>, ProcessError> {
    let mut command = shell(command, limits.memory_mib);
    let mut child = command.spawn()?;
    let leader = child.id().and_then(|id| i32::try_from(id).ok());
    let mut group = Group(leader.and_then(rustix::process::Pid::from_raw));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());

    let conversation = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program need not read its input.
                let _ = stdin.write_all(input).await;
            }
        };
        let read = async {
            let output = match stdout {
                Some(stdout) => read_up_to(stdout, limits.output).await?,
                None => Some(Vec::new()),
            };
            if output.is_none() {
                group.kill();
            }
            Ok::<_, std::io::Error>(output)
        };
        let wait = async {
            let status = child.wait().await;
            // What it left running would keep its output open.
            group.kill();
            status
        };
        let tail = async {
            match stderr {
                Some(stderr) => read_tail(stderr).await,
                None => String::new(),
            }
        };
        tokio::join!(write, read, wait, tail)
    };
    let Ok(((), output, status, stderr)) = timeout(limits.time, conversation).await else {
        group.kill();
        return Err(ProcessError::TimedOut(limits.time));
    };
    // Nothing is left of it, and its number may belong to others soon.
    group.0 = None;
    let output = output?.ok_or(ProcessError::TooMuchOutput(limits.output))?;
    let status = status?;
    if !status.success() {
        return Err(ProcessError::Failed {
            status,
            stderr,
            memory_mib: limits.memory_mib,
        });
    }
    Ok(output)
}

/// The command as a process group of its own, without this program's secrets.
#[allow(unsafe_code)]
fn shell(command: &str, memory_mib: u64) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove(tos_sdk::keystore::PASSWORD_VARIABLE)
        .process_group(0)
        .kill_on_drop(true);
    let limit = move || -> std::io::Result<()> {
        use rustix::process::{setrlimit, Resource, Rlimit};
        setrlimit(
            Resource::Core,
            Rlimit {
                current: Some(0),
                maximum: Some(0),
            },
        )?;
        if memory_mib > 0 {
            let bytes = Some(memory_mib.saturating_mul(1024 * 1024));
            // Not the address space: run-times such as that of Node.js reserve many times of what they use.
            setrlimit(
                Resource::Data,
                Rlimit {
                    current: bytes,
                    maximum: bytes,
                },
            )?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only system calls are made; nothing is allocated or locked.
    unsafe { shell.pre_exec(limit) };
    shell
}

/// Everything, or `None` when it is more than `limit` bytes.
async fn read_up_to(
    from: impl AsyncRead + Unpin,
    limit: usize,
) -> Result<Option<Vec<u8>>, std::io::Error> {
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    Ok((bytes.len() <= limit).then_some(bytes))
}

/// Reads to the end and keeps the last bytes, on one line.
async fn read_tail(mut from: impl AsyncRead + Unpin) -> String {
    let mut tail: Vec<u8> = Vec::new();
    let mut piece = [0; 4_096];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        tail.extend_from_slice(&piece[..length]);
        let surplus = tail.len().saturating_sub(STDERR_TAIL);
        tail.drain(..surplus);
    }
    String::from_utf8_lossy(&tail).trim().replace('\n', " | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn limits() -> Limits {
        Limits {
            time: Duration::from_secs(20),
            memory_mib: 0,
            output: 1_000_000,
        }
    }

    /// A file, not there yet, in which a program can tell its process.
    fn pid_file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        (folder, pid)
    }

    #[tokio::test]
    async fn a_program_reads_its_input_and_writes_its_output() {
        let input = vec![b'x'; 500_000];
        assert_eq!(run("cat", &input, limits()).await.unwrap(), input);
        assert_eq!(
            run("printf hello", &input, limits()).await.unwrap(),
            b"hello"
        );
    }

    #[tokio::test]
    async fn a_failure_tells_its_status_and_its_last_words() {
        let error = run("echo oh no >&2; exit 3", b"", limits())
            .await
            .err()
            .unwrap();
        assert!(matches!(error, ProcessError::Failed { .. }));
        assert_eq!(error.to_string(), "exit status: 3: oh no");
        assert!(run("/does/not/exist", b"", limits()).await.is_err());
    }

    /// Result of work that may not take ten seconds.
    async fn in_time<T>(work: impl std::future::Future<Output = T>) -> T {
        let started = Instant::now();
        let done = work.await;
        assert!(started.elapsed() < Duration::from_secs(10));
        done
    }

    #[tokio::test]
    async fn a_program_that_takes_too_long_dies_with_its_children() {
        let (_folder, pid) = pid_file();
        let command = format!("sleep 600 & echo $! > {}; sleep 600", pid.display());
        let limits = Limits {
            time: Duration::from_millis(700),
            ..limits()
        };
        let ran = in_time(run(&command, b"", limits)).await;
        let error = ran.err().unwrap();
        assert!(matches!(error, ProcessError::TimedOut(_)), "{error}");
        gone(&pid).await;
    }

    #[tokio::test]
    async fn what_a_program_leaves_running_is_killed_and_not_waited_for() {
        let (_folder, pid) = pid_file();
        let command = format!("sleep 600 & echo $! > {}; echo done", pid.display());
        let ran = in_time(run(&command, b"", limits())).await;
        assert_eq!(ran.unwrap(), b"done\n");
        gone(&pid).await;
    }

    #[tokio::test]
    async fn an_abandoned_program_dies() {
        let (_folder, pid) = pid_file();
        let command = format!("echo $$ > {}; exec sleep 600", pid.display());
        let job = tokio::spawn(async move { run(&command, b"", limits()).await.is_ok() });
        while !pid.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        job.abort();
        gone(&pid).await;
    }

    #[tokio::test]
    async fn endless_output_is_cut_off() {
        let error = run("yes", b"", limits()).await.err().unwrap();
        assert!(matches!(error, ProcessError::TooMuchOutput(_)), "{error}");
    }

    /// The same limits, with this much memory.
    fn memory(mib: u64) -> Limits {
        Limits {
            memory_mib: mib,
            ..limits()
        }
    }

    #[tokio::test]
    async fn memory_is_limited() {
        // Doubles a shell variable until the shell cannot.
        let command = "x=0123456789abcdef; while :; do x=$x$x; done";
        let error = run(command, b"", memory(64)).await.err().unwrap();
        assert!(matches!(error, ProcessError::Failed { .. }), "{error}");
    }

    #[tokio::test]
    async fn address_space_that_is_only_reserved_does_not_count_as_memory() {
        // What WebAssembly in Node.js does, and Go, Java and CUDA.
        let reserve = "import mmap; mmap.mmap(-1, 8 << 30, flags=mmap.MAP_PRIVATE, prot=0)";
        run(&format!("python3 -c '{reserve}'"), b"", memory(512))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_failure_for_want_of_memory_names_the_limit() {
        let command = "echo 'WebAssembly.instantiate(): Out of memory' >&2; exit 1";
        let error = run(command, b"", memory(512)).await.err().unwrap();
        assert!(
            error.to_string().contains("--memory-limit") && error.to_string().contains("512"),
            "{error}"
        );
        let error = run(command, b"", limits()).await.err().unwrap();
        assert!(!error.to_string().contains("--memory-limit"), "{error}");
    }

    #[tokio::test]
    async fn the_keystore_password_stays_here() {
        let shell = shell("true", 0);
        let removed = shell
            .as_std()
            .get_envs()
            .find(|(name, _)| *name == "TOS_PASSWORD");
        assert_eq!(removed.map(|(_, value)| value.is_none()), Some(true));
    }

    /// Waits until the process whose number is in the file has ended.
    async fn gone(pid: &std::path::Path) {
        let pid: i32 = std::fs::read_to_string(pid)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        for _ in 0..500 {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // Gone, or dead and waiting for its new parent to notice.
            if state.is_empty() || state.contains(") Z ") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("process {pid} is still alive");
    }
}
