// SPDX-License-Identifier: Apache-2.0

//! Files that are written from the table of reads: the definitions for polkadot.js and the tables
//! of `docs/rpc.md`.
//!
//! `UPDATE_DOCS=1 cargo nextest run --release --workspace -E 'binary(reads)'` writes both.

#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

/// An API with its reads.
struct Api {
    name: &'static str,
    reads: Vec<Read>,
}

/// A read as it stands in the table.
struct Read {
    name: &'static str,
    docs: Vec<&'static str>,
    arguments: Vec<Argument>,
    served: Served,
    /// Words of the docs on the answer; none for an older form of another read.
    text: &'static str,
}

/// The name of an argument and its type, as text.
#[derive(Clone)]
struct Argument(&'static str, &'static str);

/// Servers of a read besides the runtime API.
enum Served {
    /// Nobody.
    Api,
    /// JSON-RPC, under this name, with the function's arguments and result.
    Alike(&'static str),
    /// JSON-RPC, under this name, with these arguments. The result is the function's if the flag
    /// says so.
    Signed(&'static str, Vec<Argument>, bool),
}

macro_rules! arguments {
    ($($name:ident: $ty:ty),*) => {
        vec![$(Argument(stringify!($name), stringify!($ty))),*]
    };
}

macro_rules! served {
        (old) => {
        (Served::Api, "")
    };
    (node, $text:tt) => { (Served::Api, $text) };
    ($text:tt) => { (Served::Api, $text) };
    (json $method:tt, $text:tt $(, since $version:tt $subject:tt)?) => {
        (Served::Alike($method), $text)
    };
    (json $method:tt list $limit:tt $first:tt $most:tt $arguments:tt -> $answer:ty, $text:tt) => {
        (Served::Signed($method, arguments! $arguments, true), $text)
    };
    (json $method:tt page $limit:tt $first:tt $most:tt $arguments:tt -> $answer:ty, $text:tt) => {
        (Served::Signed($method, arguments! $arguments, false), $text)
    };
    (json $method:tt computed $arguments:tt -> $answer:ty, $text:tt) => {
        (Served::Signed($method, arguments! $arguments, false), $text)
    };
    (json $method:tt $arguments:tt -> $answer:ty, $text:tt $(, since $version:tt $subject:tt)?) => {
        (Served::Signed($method, arguments! $arguments, false), $text)
    };
}

macro_rules! list {
    ($(
        $(#[doc = $api_doc:tt])*
        #[api_version($api_version:tt)]
        api $module:ident: $Api:ident $(<$account:ident>)?, $subject:tt { $(
            $(#[doc = $doc:tt])*
            $(#[api_version($version:tt)])?
            $(#[changed_in($changed:tt)])?
            fn $name:ident $arguments:tt -> $out:ty { $($served:tt)* }
        )* }
    )*) => {
        vec![$(Api {
            name: stringify!($Api),
            reads: vec![$({
                let (served, text) = served!($($served)*);
                Read {
                    name: stringify!($name),
                    docs: vec![$($doc),*],
                    arguments: arguments! $arguments,
                    served,
                    text,
                }
            }),*],
        }),*]
    };
}

/// The table.
fn apis() -> Vec<Api> {
    tos_runtime_api::reads!(list)
}

/// `open_tasks` as JavaScript writes it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |all, word| {
        let (head, rest) = word.split_at(1);
        all + &head.to_uppercase() + rest
    })
}

impl Argument {
    fn is_optional(&self) -> bool {
        self.1.starts_with("Option")
    }

    /// The type of polkadot.js for an argument, optional or not.
    fn polkadot(&self) -> &'static str {
        let inner = self
            .1
            .trim_start_matches("Option")
            .replace([' ', '<', '>'], "");
        match inner.as_str() {
            "AccountId" => "AccountId",
            "DealId" | "ReplicaId" | "TaskId" | "TaskType" => "Text",
            "Hash" => "H256",
            "u32" => "u32",
            "Slot" => "u64",
            other => panic!("say here how polkadot.js calls {other}"),
        }
    }
}

impl Read {
    /// The method of JSON-RPC and its arguments but for the block, if there is one.
    fn method(&self) -> Option<(&'static str, &[Argument])> {
        match &self.served {
            Served::Api => None,
            Served::Alike(method) => Some((method, &self.arguments)),
            Served::Signed(method, arguments, _) => Some((method, arguments)),
        }
    }

    /// Answer of the runtime API, in words.
    fn answer(&self) -> String {
        match &self.served {
            Served::Api => self.text.to_owned(),
            Served::Alike(method) | Served::Signed(method, _, true) => {
                format!("what `tos_{method}` says")
            }
            Served::Signed(..) => {
                let docs: Vec<_> = self.docs.iter().map(|line| line.trim()).collect();
                docs.join(" ")
            }
        }
    }
}

/// The names of arguments, with a question mark where they may be missing.
fn named(arguments: &[Argument]) -> String {
    let one = |argument: &Argument| {
        let mark = if argument.is_optional() { "?" } else { "" };
        camel(argument.0) + mark
    };
    arguments.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A row of a table.
fn row(name: &str, parameters: &str, answer: &str) -> String {
    format!("| `{name}` | {parameters} | {answer} |\n").replace("|  |", "| |")
}

/// The reads of one API, for `docs/rpc.md`.
fn api_table(api: &Api) -> String {
    let mut text = format!("| `{}` | parameters | answer |\n|---|---|---|\n", api.name);
    for read in api.reads.iter().filter(|read| !read.text.is_empty()) {
        let names = named(&read.arguments).replace('?', "");
        text += &row(&camel(read.name), &names, &read.answer());
    }
    text
}

/// The methods of JSON-RPC, for `docs/rpc.md`.
fn method_table(apis: &[Api]) -> String {
    let mut text = "| method | parameters | answer |\n|---|---|---|\n".to_owned();
    for read in apis.iter().flat_map(|api| &api.reads) {
        if let Some((method, arguments)) = read.method() {
            text += &row(&format!("tos_{method}"), &named(arguments), read.text);
        }
    }
    text
}

/// The methods of JSON-RPC, for polkadot.js.
fn definitions(apis: &[Api]) -> String {
    let mut text = String::new();
    for read in apis.iter().flat_map(|api| &api.reads) {
        let Some((method, arguments)) = read.method() else {
            continue;
        };
        let (head, rest) = read
            .text
            .split_at(read.text.chars().next().unwrap().len_utf8());
        let about = (head.to_uppercase() + rest).replace('\'', "\\'");
        let parameters: String = arguments
            .iter()
            .map(|argument| {
                let kind = if argument.is_optional() {
                    "optional"
                } else {
                    "required"
                };
                format!(
                    ", {kind}('{}', '{}')",
                    camel(argument.0),
                    argument.polkadot()
                )
            })
            .collect();
        let line = format!("    {method}: read('{about}.'");
        // A long description has a line of its own.
        let wide = line.chars().count() + parameters.len() > 115 && !parameters.is_empty();
        let parameters = match wide {
            true => parameters.replacen(", ", ",\n      ", 1),
            false => parameters,
        };
        text += &format!("{line}{parameters}),\n");
    }
    text
}

/// Checks that what stands in a file between the marks of `name` is `wanted`, or writes it.
fn keep(path: &str, name: &str, marks: (&str, &str), wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    let before = fs::read_to_string(&path).unwrap();
    let begin = format!("{}generated: {name}{}\n", marks.0, marks.1);
    let end = format!("{}end of generated{}\n", marks.0, marks.1);
    let (head, rest) = before.split_once(&begin).expect("the first mark");
    let at = rest.find(&end).expect("the second mark");
    // The second mark may be indented.
    let (found, tail) = rest.split_at(rest[..at].rfind('\n').map_or(0, |line| line + 1));
    if std::env::var_os("UPDATE_DOCS").is_some() && found != wanted {
        fs::write(&path, format!("{head}{begin}{wanted}{tail}")).unwrap();
        return;
    }
    assert!(
        found == wanted,
        "{}, {name}: stale. UPDATE_DOCS=1 cargo nextest run --release --workspace -E 'binary(reads)'",
        path.display()
    );
}

#[test]
fn the_definitions_for_polkadot_js_and_the_tables_of_the_docs_are_those_of_the_reads() {
    let apis = apis();
    let comment = ("// ", "");
    keep(
        "client/sdk/polkadot-js/definitions.mjs",
        "reads",
        comment,
        &definitions(&apis),
    );
    let markdown = ("<!-- ", " -->");
    for api in &apis {
        keep(
            "docs/rpc.md",
            api.name,
            markdown,
            &format!("\n{}\n", api_table(api)),
        );
    }
    keep(
        "docs/rpc.md",
        "methods",
        markdown,
        &format!("\n{}\n", method_table(&apis)),
    );
}

#[test]
fn a_read_is_told_by_the_names_of_each_language() {
    let all = apis();
    let reads: Vec<_> = all.iter().flat_map(|api| &api.reads).collect();
    let open = reads.iter().find(|read| read.name == "open_tasks").unwrap();
    let (method, arguments) = open.method().unwrap();
    assert_eq!(
        (method, named(arguments).as_str()),
        ("openTasks", "taskType?, after?, limit?")
    );
    let submit = reads.iter().find(|read| read.name == "can_submit").unwrap();
    assert_eq!(named(&submit.arguments), "who, task");
    assert_eq!(named(submit.method().unwrap().1), "who, id");
    assert!(reads
        .iter()
        .any(|read| read.name == "task_changes" && read.method().is_none()));
}

#[test]
fn every_method_has_one_name_of_its_own() {
    let all = apis();
    let mut names: Vec<_> = all
        .iter()
        .flat_map(|api| &api.reads)
        .filter_map(|read| read.method().map(|(method, _)| method))
        .collect();
    let before = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), before);
    assert!(before > 20);
}
