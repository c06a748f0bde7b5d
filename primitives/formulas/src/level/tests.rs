// SPDX-License-Identifier: Apache-2.0

use super::*;
use tos_types::task::Certification;
use LevelChange::*;

const RULES: &LevelTable = &LevelTable::STANDARD;

const RISING: [Level; 3] = [Level::Advanced, Level::Specialist, Level::Master];

/// A record of the level below `level`, with this many valid ones among 100 outcomes.
fn below(level: Level, valid: u32) -> LevelRecord {
    LevelRecord {
        level: level.lower(),
        // The failures lie far back.
        outcomes: (1u128 << valid) - 1,
        count: OUTCOMES,
        ..LevelRecord::default()
    }
}

fn facts(level: Level) -> Facts {
    let wanted = RULES.terms(level).unwrap();
    Facts {
        completed: wanted.tasks,
        reputation: wanted.reputation,
        endorsements: wanted.endorsements,
    }
}

/// Facts of which one is no longer good enough.
fn short_of(good: Facts) -> [Facts; 2] {
    [
        Facts {
            reputation: good.reputation - 1,
            ..good
        },
        Facts {
            endorsements: good.endorsements - 1,
            ..good
        },
    ]
}

fn review(record: &mut LevelRecord, today: u32, facts: Facts) -> Option<LevelChange> {
    record.review(today, RULES, || facts)
}

#[test]
fn the_table_is_that_of_the_protocol() {
    let row = |level: Level| {
        let terms = RULES.terms(level).map(|l| {
            let up = (l.tasks, l.success, l.endorsements, l.reputation);
            let probation = (l.probation, l.consistency);
            (up, probation, (l.failures, l.least_success, l.grace))
        });
        let stake = RULES.stake_percent(level, Certification::Unverified);
        (stake, RULES.vote_tenths(level), terms)
    };
    assert_eq!(row(Level::Standard), (150, 10, None));
    let advanced = ((50, 8_000, 3, 7_500), (14, 7_500), (7, 7_500, 21));
    assert_eq!(row(Level::Advanced), (120, 15, Some(advanced)));
    let specialist = ((100, 9_000, 5, 8_500), (30, 8_500), (5, 8_500, 14));
    assert_eq!(row(Level::Specialist), (80, 20, Some(specialist)));
    let master = ((200, 9_500, 10, 9_500), (60, 9_500), (3, 9_000, 7));
    assert_eq!(row(Level::Master), (50, 30, Some(master)));
    for level in Level::ALL {
        assert_eq!(level.next().map_or(level, Level::lower), level);
    }
}

#[test]
fn a_probation_begins_exactly_when_every_condition_holds() {
    for level in RISING {
        let wanted = RULES.terms(level).unwrap();
        let (good, enough) = (facts(level), u32::from(wanted.success / 100));
        assert_eq!(
            review(&mut below(level, enough), 5, good),
            Some(ProbationStarted)
        );
        assert_eq!(review(&mut below(level, enough - 1), 5, good), None);
        let untried = Facts {
            completed: good.completed - 1,
            ..good
        };
        for short in short_of(good).into_iter().chain([untried]) {
            assert_eq!(
                review(&mut below(level, enough), 5, short),
                None,
                "{short:?}"
            );
        }
    }
    let mut top = LevelRecord {
        level: Level::Master,
        ..below(Level::Master, 100)
    };
    assert_eq!(review(&mut top, 5, facts(Level::Master)), None);
}

#[test]
fn a_probation_ends_in_promotion_on_its_last_day_and_not_before() {
    for level in RISING {
        let days = RULES.terms(level).unwrap().probation;
        let mut record = below(level, 100);
        review(&mut record, 7, facts(level));
        assert_eq!(record.probation_until(RULES), Some(7 + days));
        assert_eq!(record.note(true, 8, RULES), None);
        assert_eq!(review(&mut record, 7 + days - 1, facts(level)), None);
        assert_eq!(review(&mut record, 7 + days, facts(level)), Some(Promoted));
        assert_eq!((record.level, record.probation), (level, None));
    }
}

#[test]
fn a_probation_without_work_goes_on_and_one_with_poor_work_fails() {
    for level in RISING {
        let wanted = RULES.terms(level).unwrap();
        let mut idle = below(level, 100);
        review(&mut idle, 0, facts(level));
        assert_eq!(review(&mut idle, 1_000, facts(level)), None);
        assert!(idle.probation.is_some());

        // 100 tasks: just good enough, and one too few.
        for (missing, expected) in [(0, Promoted), (1, ProbationFailed)] {
            let mut record = below(level, 100);
            review(&mut record, 0, facts(level));
            let probation = record.probation.as_mut().unwrap();
            probation.completed = wanted.consistency / 100 - missing;
            probation.failed = 100 - probation.completed;
            assert_eq!(
                review(&mut record, wanted.probation, facts(level)),
                Some(expected)
            );
            assert_eq!(record.probation, None);
        }
    }
}

#[test]
fn a_condition_that_breaks_ends_the_probation_whenever_somebody_looks() {
    let level = Level::Advanced;
    let good = facts(level);
    for broken in short_of(good) {
        let mut record = below(level, 100);
        review(&mut record, 0, good);
        assert_eq!(review(&mut record, 1, broken), Some(ProbationFailed));
    }
    let mut record = below(level, 80);
    review(&mut record, 0, good);
    record.note(false, 1, RULES);
    // One valid outcome of the hundred fell out of sight as well? No: the oldest was a failure.
    assert_eq!(record.success(), 8_000);
    record.outcomes &= !2;
    assert_eq!(review(&mut record, 1, good), Some(ProbationFailed));
}

#[test]
fn failures_in_a_row_put_a_level_in_danger_and_time_takes_it() {
    for level in RISING {
        let bound = RULES.terms(level).unwrap();
        let mut record = LevelRecord {
            level,
            ..below(level, 100)
        };
        for _ in 1..bound.failures {
            assert_eq!(record.note(false, 3, RULES), None, "{level:?}");
        }
        assert_eq!(record.note(false, 3, RULES), Some(GraceStarted));
        assert_eq!(record.grace_until(RULES), Some(3 + bound.grace));
        assert_eq!(record.note(false, 3 + bound.grace - 1, RULES), None);
        assert_eq!(
            review(&mut record, 3 + bound.grace - 1, Facts::default()),
            None
        );
        let mut by_review = record;
        assert_eq!(record.note(false, 3 + bound.grace, RULES), Some(Demoted));
        assert_eq!(
            review(&mut by_review, 3 + bound.grace, Facts::default()),
            Some(Demoted)
        );
        assert_eq!((record.level, record.grace), (level.lower(), None));
    }
}

#[test]
fn success_below_the_bound_is_danger_once_there_are_enough_outcomes() {
    for level in RISING {
        let bound = RULES.terms(level).unwrap();
        let valid = u32::from(bound.least_success / 100);
        // The newest outcomes are valid, so that nothing fails in a row; one falls out of sight.
        let mut record = LevelRecord {
            level,
            ..below(level, valid)
        };
        assert_eq!(record.note(true, 1, RULES), None);
        let mut record = LevelRecord {
            level,
            ..below(level, valid - 2)
        };
        assert_eq!(record.note(true, 1, RULES), Some(GraceStarted), "{level:?}");
        // Two more valid ones, and it has recovered.
        assert_eq!(record.note(true, 1, RULES), Some(GraceEnded));

        let mut young = LevelRecord {
            level,
            ..LevelRecord::default()
        };
        for _ in 0..MIN_OUTCOMES / 2 {
            young.note(true, 0, RULES);
        }
        assert_eq!(young.note(false, 0, RULES), None);
    }
}

#[test]
fn a_level_in_danger_rises_no_further() {
    let mut record = LevelRecord {
        level: Level::Advanced,
        ..below(Level::Specialist, 100)
    };
    review(&mut record, 0, facts(Level::Specialist));
    for _ in 0..7 {
        record.note(false, 1, RULES);
    }
    assert!(record.grace.is_some() && record.probation.is_none());
    assert_eq!(review(&mut record, 1, facts(Level::Specialist)), None);
}

#[test]
fn a_suspension_costs_one_level_at_once() {
    for level in RISING {
        let mut record = LevelRecord {
            level,
            grace: Some(1),
            ..below(level, 100)
        };
        assert_eq!(record.set_back(), Some(Demoted));
        assert_eq!((record.level, record.grace), (level.lower(), None));
    }
    let mut record = below(Level::Advanced, 100);
    assert_eq!(record.set_back(), None);
    review(&mut record, 0, facts(Level::Advanced));
    assert_eq!(record.set_back(), Some(ProbationFailed));
}

#[test]
fn only_the_last_hundred_outcomes_count_and_facts_are_asked_for_only_when_they_decide() {
    let mut record = LevelRecord::default();
    assert_eq!(record.success(), BP);
    for _ in 0..300 {
        record.note(false, 0, RULES);
    }
    assert_eq!(
        (record.count, record.success(), record.failures),
        (100, 0, 255)
    );
    for valid in 1..=100 {
        record.note(true, 0, RULES);
        assert_eq!(record.success(), valid * 100);
    }
    record.note(false, 0, RULES);
    assert_eq!(record.success(), 9_900);
    let mut poor = below(Level::Advanced, 79);
    assert_eq!(poor.review(0, RULES, || panic!("nothing to decide")), None);
}

#[test]
fn no_sequence_of_days_and_outcomes_skips_a_level_or_leaves_a_contradiction() {
    let mut state = 7u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let (mut record, mut today) = (LevelRecord::default(), 0);
    let mut seen = [0u32; 6];
    for _ in 0..50_000 {
        today += random(3) as u32;
        let before = record.level;
        // Long good times and long bad ones.
        let good = (today / 400) % 3 != 2;
        let change = if random(4) > 0 {
            record.note(good || random(3) > 0, today, RULES)
        } else {
            let facts = Facts {
                completed: 1_000,
                reputation: BP,
                endorsements: 16,
            };
            record.review(today, RULES, || facts)
        };
        let step = (record.level as i8 - before as i8).abs();
        assert_eq!(step, i8::from(matches!(change, Some(Promoted | Demoted))));
        assert!(record.grace.is_none() || record.probation.is_none());
        assert!(record.grace.is_none() || record.level > Level::Standard);
        assert!(record.probation.is_none() || record.level < Level::Master);
        if let Some(change) = change {
            seen[change as usize] += 1;
        }
    }
    assert!(
        seen[0] > 0 && seen[2] > 0 && seen[3] > 0 && seen[4] > 0 && seen[5] > 0,
        "{seen:?}"
    );
}

#[test]
fn the_smaller_stake_of_level_and_certificate_counts() {
    let stake = |level, certification| RULES.stake_percent(level, certification);
    assert_eq!(stake(Level::Standard, Certification::Basic), 100);
    assert_eq!(stake(Level::Advanced, Certification::Unverified), 120);
    assert_eq!(stake(Level::Master, Certification::Basic), 50);
    assert_eq!(stake(Level::Master, Certification::Master), 40);
}

#[test]
fn other_rules_decide_what_happens_next_and_not_what_has_happened() {
    let strict = LevelTable {
        advanced: tos_types::rules::LevelTerms {
            failures: 2,
            ..RULES.advanced
        },
        ..*RULES
    };
    let mut record = LevelRecord {
        level: Level::Advanced,
        failures: 2,
        ..below(Level::Advanced, 100)
    };
    assert_eq!(record.review(1, RULES, Facts::default), None);
    assert_eq!(record.level, Level::Advanced);
    assert_eq!(
        record.review(1, &strict, Facts::default),
        Some(GraceStarted)
    );
    // Milder again, and the danger is over.
    assert_eq!(record.review(2, RULES, Facts::default), Some(GraceEnded));
}
