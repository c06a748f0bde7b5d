// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `--log-format json`: a log of one JSON object per line, for programs that collect logs.
//!
//! The SDK's logger writes text and nothing else, so this is a logger of its own, which
//! listens to the same options: `--log`, `RUST_LOG`, `--tracing-targets`, `--detailed-log-output`.

#![warn(missing_docs)]

use polkadot_sdk::*;
use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use sc_cli::CliConfiguration;
use sc_tracing::ProfilingLayer;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{
    field::{Field, Visit},
    level_filters::LevelFilter,
    Event, Subscriber,
};
use tracing_log::{AsLog, NormalizeEvent};
use tracing_subscriber::{
    fmt::{
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
        FmtContext, FormatEvent, FormatFields, FormattedFields,
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
    EnvFilter, Layer, Registry,
};

/// Format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Directives that count unless the operator says otherwise, as in the text log: libraries that report much
/// and concern no operator are silent.
const DEFAULT: &str = "info,ws=off,yamux=off,regalloc=off,cranelift_codegen=off,\
    cranelift_wasm=warn,hyper=warn,trust_dns_proto=off,hickory_proto=off,\
    libp2p_mdns::behaviour::iface=off,rustls::common_state=off,rustls::conn=off";

/// Sets up the log, and returns the handle on its filter if `--enable-log-reloading` allows changes.
pub fn start(options: &impl CliConfiguration) -> sc_cli::Result<Option<LogFilter>> {
    let environment = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let profiled = options.tracing_targets()?;
    let profiling = profiled
        .as_ref()
        .map(|targets| {
            sc_cli::Result::Ok(ProfilingLayer::new(options.tracing_receiver()?, targets))
        })
        .transpose()?;
    // The profiler reports by the log.
    let profiled = profiled.map(|targets| format!("{targets},sc_tracing=trace"));
    let directives = [
        DEFAULT,
        &environment,
        &options.log_filters()?,
        &profiled.unwrap_or_default(),
    ]
    .join(",");
    let (filter, log_filter) = if options.enable_log_reloading()? {
        let (filter, log_filter) = LogFilter::new(directives)?;
        (filter.boxed(), Some(log_filter))
    } else {
        (filter(&directives)?.boxed(), None)
    };
    // Colours are for terminals.
    console::set_colors_enabled(false);
    console::set_colors_enabled_stderr(false);
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines {
            names_threads: options.detailed_log_output()?,
        })
        .fmt_fields(JsonFields::new())
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(profiling)
        .try_init()
        .map_err(|error| sc_cli::Error::Application(error.into()))?;
    Ok(log_filter)
}

/// A filter of these directives; what comes later counts more.
fn filter(directives: &str) -> Result<EnvFilter, sc_tracing::logging::Error> {
    let mut filter = EnvFilter::default();
    for directive in directives.split(',').filter(|one| !one.is_empty()) {
        filter = filter.add_directive(directive.parse()?);
    }
    Ok(filter)
}

/// Handle on the filter of the log, which changes it while the node runs, as `--enable-log-reloading` allows.
#[derive(Clone)]
pub struct LogFilter {
    handle: reload::Handle<EnvFilter, Registry>,
    /// The directives that the node was started with.
    initial: String,
    /// Those that count now.
    current: Arc<Mutex<String>>,
}

impl LogFilter {
    fn new(
        initial: String,
    ) -> Result<(reload::Layer<EnvFilter, Registry>, Self), sc_tracing::logging::Error> {
        let (layer, handle) = reload::Layer::new(filter(&initial)?);
        let current = Arc::new(Mutex::new(initial.clone()));
        let log_filter = Self {
            handle,
            initial,
            current,
        };
        Ok((layer, log_filter))
    }

    /// Adds directives to those that count.
    pub fn add(&self, directives: &str) -> Result<(), String> {
        let mut current = self.current.lock();
        let directives = format!("{current},{directives}");
        self.set(&mut current, directives)
    }

    /// Goes back to those that the node was started with.
    pub fn reset(&self) -> Result<(), String> {
        self.set(&mut self.current.lock(), self.initial.clone())
    }

    fn set(&self, current: &mut String, directives: String) -> Result<(), String> {
        let filter = filter(&directives).map_err(|error| error.to_string())?;
        self.handle
            .reload(filter)
            .map_err(|error| error.to_string())?;
        *current = directives;
        // Lines by the `log` crate are cut off by a limit of its own.
        log::set_max_level(LevelFilter::current().as_log());
        Ok(())
    }
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    message: String,
    fields: Map<String, Value>,
    /// From the outermost to the innermost.
    spans: Vec<Value>,
}

/// Writes [`Line`]s.
struct Lines {
    names_threads: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // What came by the `log` crate, the runtime's own lines among it, carries its target and
        // level in fields.
        let normalised = event.normalized_metadata();
        let metadata = normalised.as_ref().unwrap_or_else(|| event.metadata());
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut contents = Contents::default();
        event.record(&mut contents);
        let spans = context
            .event_scope()
            .map(|scope| {
                scope
                    .from_root()
                    .map(|span| {
                        let extensions = span.extensions();
                        let fields = extensions.get::<FormattedFields<N>>();
                        describe(span.name(), fields.map_or("", |fields| fields.as_str()))
                    })
                    .collect()
            })
            .unwrap_or_default();
        let thread = std::thread::current();
        let line = Line {
            timestamp,
            level: metadata.level().as_str(),
            target: metadata.target(),
            thread: thread.name().filter(|_| self.names_threads),
            message: contents.message,
            fields: contents.fields,
            spans,
        };
        let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

/// A span: its name, and its fields, which are an object or nothing.
fn describe(name: &str, fields: &str) -> Value {
    let mut span: Map<String, Value> = serde_json::from_str(fields).unwrap_or_default();
    span.insert("name".into(), name.into());
    span.into()
}

/// Contents of an event.
#[derive(Default)]
struct Contents {
    message: String,
    fields: Map<String, Value>,
}

impl Contents {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        // Where the source is, in lines that came by the `log` crate.
        if !field.name().starts_with("log.") {
            self.fields.insert(field.name().into(), value.into());
        }
    }
}

impl Visit for Contents {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.put(field, format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.into();
        } else {
            self.put(field, value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `work` logs.
    fn logged(directives: &str, names_threads: bool, work: impl FnOnce()) -> Vec<Value> {
        let directives = format!("{DEFAULT},{directives}");
        let filter = filter(&directives).expect("valid");
        logged_by(filter.boxed(), names_threads, work)
    }

    /// Lines that `work` logs through a filter that is there already.
    fn logged_by(
        filter: Box<dyn Layer<Registry> + Send + Sync>,
        names_threads: bool,
        work: impl FnOnce(),
    ) -> Vec<Value> {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt::layer()
            .event_format(Lines { names_threads })
            .fmt_fields(JsonFields::new())
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(filter).with(lines);
        tracing::subscriber::with_default(subscriber, work);
        let bytes = kept.0.lock().clone();
        let text = String::from_utf8(bytes).expect("text");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    #[test]
    fn a_line_is_an_object_with_time_level_target_message_fields_and_spans() {
        let lines = logged("", false, || {
            let outer = tracing::info_span!("outer", peer = "alice", height = 7);
            let _entered = outer.enter();
            tracing::warn!(target: "beacon", slot = 9, late = true, "two\nlines and \"quotes\"");
        });
        let [line] = &lines[..] else {
            panic!("{lines:?}");
        };
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["target"], "beacon");
        assert_eq!(line["message"], "two\nlines and \"quotes\"");
        assert_eq!(line["fields"], serde_json::json!({"slot": 9, "late": true}));
        let span = serde_json::json!({"name": "outer", "peer": "alice", "height": 7});
        assert_eq!(line["spans"], serde_json::json!([span]));
        let time = line["timestamp"].as_str().expect("text");
        assert!(time.ends_with('Z') && time.contains('T'), "{time}");
        assert!(line.get("thread").is_none());
    }

    #[test]
    fn filters_are_those_of_the_text_log() {
        let count = |directives| {
            let lines = logged(directives, false, || {
                tracing::debug!(target: "runtime", "one");
                tracing::info!(target: "runtime", "two");
                tracing::error!(target: "yamux", "three");
            });
            lines.len()
        };
        assert_eq!(count(""), 1);
        assert_eq!(count("runtime=debug"), 2);
        assert_eq!(count("runtime=off"), 0);
        assert_eq!(count("debug,yamux=error"), 3);
        assert!(filter("info,==").is_err());
    }

    #[test]
    fn levels_change_while_the_node_runs_and_can_be_reset() {
        let (layer, log_filter) = LogFilter::new(DEFAULT.into()).expect("valid");
        let lines = logged_by(layer.boxed(), false, || {
            let tell = |what| tracing::debug!(target: "levels", what);
            tell("before");
            log_filter.add("levels=debug").expect("valid");
            tell("changed");
            assert!(log_filter.add("==").is_err());
            tell("a mistake changes nothing");
            log_filter.reset().expect("valid");
            tell("after");
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0]["fields"]["what"], "changed");
    }

    #[test]
    fn a_detailed_log_names_threads() {
        let lines = logged("", true, || tracing::info!("here"));
        assert!(lines[0]["thread"].is_string());
    }
}
