// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `--rpc-allow` and `--rpc-deny`: methods that the server answers.

use jsonrpsee::RpcModule;

use super::{call_filter::CallFilter, pattern::Pattern};

/// The method that lists methods. The server itself adds it, so that it is always there.
const LISTING: &str = "rpc_methods";

/// Filter of the methods that are served. Without either option, all of them.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct MethodFilter {
    /// Serve no other RPC methods than these: a name, or the beginning of names and a star, as in
    /// `chain_*`. Several by commas or by repetition. Subscriptions are methods, and ending one is another. Unsafe methods
    /// remain closed where `--rpc-methods` closes them.
    #[arg(long, value_name = "METHOD", value_delimiter = ',')]
    pub rpc_allow: Vec<Pattern>,

    /// Do not serve these RPC methods, though they are allowed otherwise. Written like those of
    /// `--rpc-allow`.
    #[arg(long, value_name = "METHOD", value_delimiter = ',')]
    pub rpc_deny: Vec<Pattern>,

    /// Functions of the runtime that they execute.
    #[command(flatten)]
    pub calls: CallFilter,
}

impl MethodFilter {
    fn serves(&self, name: &str) -> bool {
        let fits = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.fits(name));
        (self.rpc_allow.is_empty() || fits(&self.rpc_allow)) && !fits(&self.rpc_deny)
    }

    /// Takes what is not served out of `module`, whose methods are all there are, and guards what executes functions of the runtime.
    pub fn restrict(&self, module: &mut RpcModule<()>) -> Result<(), String> {
        let mut names: Vec<_> = module.method_names().collect();
        for pattern in &self.rpc_deny {
            if pattern.fits(LISTING) && !pattern.is_prefix {
                return Err(format!("--rpc-deny {LISTING}: it is always served"));
            }
            pattern.check("--rpc-deny", &names)?;
        }
        names.push(LISTING);
        for pattern in &self.rpc_allow {
            pattern.check("--rpc-allow", &names)?;
        }
        for name in names {
            if !self.serves(name) {
                module.remove_method(name);
            }
        }
        self.calls.guard(module)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = [
        "chain_getBlock",
        "chain_getHeader",
        "chain_subscribeNewHeads",
        "chain_unsubscribeNewHeads",
        "state_getStorage",
        "system_health",
    ];

    fn filter(allow: &[&str], deny: &[&str]) -> MethodFilter {
        let parse = |list: &[&str]| {
            list.iter()
                .map(|text| text.parse().expect("a pattern"))
                .collect()
        };
        MethodFilter {
            rpc_allow: parse(allow),
            rpc_deny: parse(deny),
            calls: CallFilter::default(),
        }
    }

    fn served(filter: &MethodFilter) -> Result<Vec<&'static str>, String> {
        let mut module = RpcModule::new(());
        for name in NAMES {
            module
                .register_method(name, |_, _, _| 1)
                .expect("registers");
        }
        filter.restrict(&mut module)?;
        let mut left: Vec<_> = module.method_names().collect();
        left.sort_unstable();
        Ok(left)
    }

    #[test]
    fn without_lists_everything_is_served() {
        assert_eq!(served(&filter(&[], &[])).expect("valid"), NAMES);
    }

    #[test]
    fn only_what_is_allowed_and_not_denied_is_served() {
        let some = filter(&["chain_*", "system_health"], &["chain_getBlock"]);
        let left = served(&some).expect("valid");
        assert_eq!(
            left,
            [
                "chain_getHeader",
                "chain_subscribeNewHeads",
                "chain_unsubscribeNewHeads",
                "system_health"
            ]
        );
        let denied = filter(&[], &["chain_*", "state_*"]);
        assert_eq!(served(&denied).expect("valid"), ["system_health"]);
    }

    #[test]
    fn a_name_is_not_the_beginning_of_another() {
        let left = served(&filter(&["chain_get*"], &["chain_getHeader"])).expect("valid");
        assert_eq!(left, ["chain_getBlock"]);
        assert!(served(&filter(&["chain_get"], &[])).is_err());
    }

    #[test]
    fn an_unknown_name_is_refused_with_near_ones() {
        let error = served(&filter(&["chain_getBlok"], &[])).expect_err("unknown");
        assert!(
            error.contains("--rpc-allow chain_getBlok") && error.contains("chain_getBlock"),
            "{error}"
        );
        assert!(served(&filter(&["babe_*"], &[])).is_err());
        assert!(served(&filter(&[], &["system_helth"])).is_err());
    }

    #[test]
    fn the_listing_can_be_allowed_and_not_denied() {
        let only = filter(&["rpc_methods", "system_health"], &[]);
        assert_eq!(served(&only).expect("valid"), ["system_health"]);
        assert!(served(&filter(&[], &["rpc_methods"])).is_err());
    }

    #[test]
    fn a_star_stands_at_the_end_or_nowhere() {
        for wrong in ["", "*_health", "chain_*Block", "chain getBlock", "a**"] {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
        for right in ["*", "chain_*", "chainHead_v1_follow"] {
            let pattern: Pattern = right.parse().expect("a pattern");
            assert_eq!(pattern.to_string(), right);
        }
    }
}
