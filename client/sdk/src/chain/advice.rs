// SPDX-License-Identifier: Apache-2.0

//! Commands of `tos` that help after a refusal, by the name of the chain's error. The chain knows no
//! command line.

/// Errors of the chain, as `Pallet::Error`, and what one does next. Commands stand between backquotes.
pub const ADVICE: &[(&str, &str)] = &[
    (
        "Miners::AlreadyRegistered",
        "`tos miner set-types` changes the types; `tos miner status` shows the registration.",
    ),
    (
        "Miners::NotRegistered",
        "`tos miner register` makes the account a miner.",
    ),
    ("Miners::HasOpenTasks", "`tos miner status` counts them."),
    (
        "Miners::Leaving",
        "`tos miner rejoin` stays; `tos miner withdraw` gets the stake back after the cooldown.",
    ),
    ("Miners::NotLeaving", "`tos miner leave` begins to leave."),
    (
        "Miners::NotDormant",
        "`tos miner status` shows the activity.",
    ),
    (
        "Miners::Dormant",
        "`tos miner reactivate` ends the dormancy.",
    ),
    (
        "Miners::NotSpecialised",
        "`tos miner set-types` changes the types; name those that stay as well.",
    ),
    (
        "Miners::AlreadyEndorsed",
        "`tos miner unendorse` takes the endorsement back.",
    ),
    ("Miners::NotEndorsed", "`tos miner endorse` endorses."),
    (
        "Miners::EndorsesTooMany",
        "`tos miner unendorse` takes one back.",
    ),
    (
        "Miners::TooManyEndorsements",
        "`tos miner unendorse --by` gives one up.",
    ),
    (
        "Miners::NothingToReview",
        "`tos miner status` shows level, probation and grace.",
    ),
    (
        "Judges::AlreadyRegistered",
        "`tos judge set-types` changes the types; `tos judge status` shows the registration.",
    ),
    (
        "Judges::NotJudge",
        "`tos judge register` makes the account a judge.",
    ),
    (
        "Judges::StillOnPanels",
        "`tos judge status` lists the seats, and `tos judge run` votes.",
    ),
    (
        "Judges::Leaving",
        "`tos judge rejoin` stays; `tos judge withdraw` gets the stake back after the cooldown.",
    ),
    ("Judges::NotLeaving", "`tos judge leave` begins to leave."),
    (
        "Judges::NotUnderstaked",
        "`tos judge status` shows the stake.",
    ),
    (
        "Judges::NotControlAuthor",
        "`tos governance control-author` approves one, or takes that back.",
    ),
    (
        "Judges::AlreadyControlAuthor",
        "`tos governance control-author` approves others, or takes that back.",
    ),
    (
        "Tasks::UnknownTask",
        "`tos task list --all` lists those on record.",
    ),
    (
        "Tasks::AlreadyJoined",
        "`tos miner run` goes on with it; `tos task show` tells how far it is.",
    ),
    (
        "Tasks::NotPublisher",
        "`tos task show` names the publisher; `--key` and `--for` say who acts.",
    ),
    (
        "Tasks::InsufficientFunds",
        "`tos task quote` adds up what a task needs.",
    ),
    (
        "Tasks::NotChallengeable",
        "`tos task show` tells the phase, and until when.",
    ),
    (
        "Tasks::AlreadyChallenged",
        "`tos task watch` follows what comes of it.",
    ),
    (
        "Rewards::NothingToClaim",
        "`tos rewards list` lists what waits.",
    ),
    (
        "Storage::AlreadyProvider",
        "`tos storage set` changes key and address, `tos storage top-up` the bond; `tos storage \
         status` shows the provider.",
    ),
    (
        "Storage::NotProvider",
        "`tos storage init` makes the account one.",
    ),
    (
        "Storage::InsufficientBond",
        "`tos storage top-up` adds to the bond; `tos storage status` shows it.",
    ),
    (
        "Storage::Exiting",
        "`tos storage leave` gets the bond back when the unbonding is over.",
    ),
    ("Storage::NotExiting", "`tos storage exit` announces it."),
    (
        "Storage::HasReplicas",
        "`tos storage status` lists them, and `tos storage remove` ends one.",
    ),
    (
        "Storage::UnknownDeal",
        "`tos storage deals` lists those on record.",
    ),
    (
        "Storage::UnknownReplica",
        "`tos storage status` lists a provider's.",
    ),
    (
        "Storage::NotClient",
        "`tos storage deals` lists those of an account; `--key` and `--for` say who acts.",
    ),
    (
        "Storage::NotInvited",
        "`tos storage offers` lists those that any provider may accept.",
    ),
    (
        "Storage::NotYours",
        "`tos storage status` lists a provider's replicas; `--key` and `--for` say who acts.",
    ),
    ("Storage::NotOpen", "`tos storage show` tells its status."),
    ("Storage::NotActive", "`tos storage show` tells its status."),
    ("Storage::NotPaused", "`tos storage show` tells its status."),
    (
        "Storage::AlreadyLeaving",
        "`tos storage show` tells when it ends.",
    ),
    (
        "Storage::AlreadyChallenged",
        "`tos storage show` tells what comes of it.",
    ),
    ("Storage::Over", "`tos storage show` tells how it ended."),
    (
        "Sudo::RequireSudo",
        "Sign with the network's sudo key (`--key`); without `--sudo` the call is printed, for a \
         referendum.",
    ),
    (
        "System::CallFiltered",
        "`tos accounts proxies` lists the kinds of proxies; `tos accounts add-proxy` appoints one of \
         a kind that may make the call.",
    ),
    (
        "Proxy::Duplicate",
        "`tos accounts proxies` lists them; `tos accounts remove-proxy` dismisses one.",
    ),
    (
        "Proxy::NoSelfProxy",
        "An account needs no proxy to act for itself: name another.",
    ),
    (
        "Proxy::NotFound",
        "`tos accounts proxies` lists those there are.",
    ),
    (
        "Proxy::NotProxy",
        "`tos accounts add-proxy`, as the account it acts for, appoints it.",
    ),
    (
        "Proxy::TooMany",
        "`tos accounts remove-proxy` dismisses one.",
    ),
    (
        "Multisig::AlreadyApproved",
        "`tos accounts multisig show` tells who has approved.",
    ),
    (
        "Multisig::NotFound",
        "`tos accounts multisig propose` begins it.",
    ),
];

/// Advice on the error of this name, if there is any.
pub(super) fn on(name: &str) -> Option<&'static str> {
    let mut all = ADVICE.iter();
    all.find(|(error, _)| *error == name)
        .map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// Pallets whose errors people meet on the command line.
    const PALLETS: [&str; 5] = ["Miners", "Judges", "Tasks", "Rewards", "Storage"];
    /// Errors of standing that no command of `tos` can do something about: workers alone meet them, or
    /// what they are about has no command.
    const WITHOUT: [&str; 11] = [
        "Miners::AlreadyRelated",
        "Tasks::AlreadyCommitted",
        "Tasks::AlreadyRevealed",
        "Tasks::NotJoined",
        "Judges::AlreadyCommitted",
        "Judges::AlreadyRevealed",
        "Judges::AlreadyKnown",
        "Storage::AlreadySubmitted",
        "Storage::AlreadyAttested",
        "Tasks::NotCommitted",
        "Judges::NotCommitted",
    ];

    fn version(path: &Path) -> Option<u32> {
        path.file_stem()?.to_str()?.parse().ok()
    }

    /// Errors of the newest runtime whose interface is recorded.
    fn errors() -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/interface");
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let newest = files.max_by_key(|path| version(path)).unwrap();
        let text = fs::read_to_string(newest).unwrap();
        let errors = text.lines().filter_map(|line| {
            let (_, error) = line.strip_prefix("error ")?.split_once(" = ")?;
            let (name, _) = error.split_once('(')?;
            Some(name.replace('.', "::"))
        });
        errors.collect()
    }

    #[test]
    fn every_error_with_advice_is_one_of_the_runtime_and_has_it_once() {
        let errors = errors();
        assert!(errors.len() > 300, "{}", errors.len());
        let named: BTreeSet<_> = ADVICE.iter().map(|(error, _)| *error).collect();
        assert_eq!(named.len(), ADVICE.len());
        for error in named.into_iter().chain(WITHOUT) {
            assert!(errors.contains(error), "{error} is no error of the runtime");
        }
    }

    #[test]
    fn every_error_about_what_an_account_is_already_or_is_not_has_advice() {
        let mut found = 0;
        for error in errors() {
            let (pallet, name) = error.split_once("::").unwrap();
            let of_standing = name.starts_with("Already")
                || ["NotRegistered", "NotJudge", "NotProvider", "NotJoined"].contains(&name)
                || ["NotLeaving", "NotExiting", "NotCommitted"].contains(&name);
            if PALLETS.contains(&pallet) && of_standing {
                let known = on(&error).is_some() != WITHOUT.contains(&error.as_str());
                assert!(known, "{error}");
                found += 1;
            }
        }
        assert!(found > 20, "{found}");
    }

    #[test]
    fn an_error_without_advice_gets_none() {
        assert_eq!(on("Tasks::NotDue"), None);
        assert!(on("Miners::AlreadyRegistered")
            .unwrap()
            .contains("tos miner set-types"));
    }
}
