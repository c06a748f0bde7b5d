// SPDX-License-Identifier: Apache-2.0

//! The rules of judging by roster: the bond of a judge, the stake and the pay of a seat, and the bars that
//! a publisher may set.

use super::{Bounded, Checked, OutOfBounds};
use crate::{json::wei, Balance, Bp, BP, TOS};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

rules! {
    /// The bonds of judges, for each type that they judge.
    RosterRules {
        /// Bond to enter a roster, in wei.
        #[serde(with = "wei")]
        enter: Balance = 50 * TOS, 10 * TOS => 1_000 * TOS, "10 to 1,000 TOS";
        /// Bond below which a judge is not drawn, in wei. Below the one to enter, or a small fine would
        /// throw out those who just have that.
        #[serde(with = "wei")]
        stay: Balance = 25 * TOS, 5 * TOS => 500 * TOS, "5 to 500 TOS";
    }
    relations(this) {
        this.stay <= this.enter => "stay", "at most enter";
    }
}

rules! {
    /// The stake, the losses and the pay of seats, and the part of a roster that may be locked.
    SeatRules {
        /// Stake of all seats of a panel as a share of the reward, in basis points.
        seat_stake: Bp = BP, 5_000 => 20_000, "50 to 200 %";
        /// The least that a seat locks, in wei.
        #[serde(with = "wei")]
        least_seat_stake: Balance = TOS / 2, TOS / 10 => 5 * TOS, "0.1 to 5 TOS";
        /// Distance from an appeal's result, in points, from which a seat loses stake.
        loss_from: u8 = 15, 10 => 20, "10 to 20 points";
        /// Distance from an appeal's result, in points, at which a seat loses all its stake; its bounds lie
        /// above those of the distance from which it loses some.
        loss_full: u8 = 45, 30 => 60, "30 to 60 points";
        /// Part of the same loss that a court's seat bears, in basis points.
        court_loss: Bp = 4_000, 2_000 => 6_000, "20 to 60 %";
        /// Part of its stake that a seat loses for no commitment, in basis points.
        silence: Bp = 1_000, 500 => 2_000, "5 to 20 %";
        /// Part of its stake that a seat loses for a commitment that is not revealed, in basis points; its bounds
        /// lie above those of silence, for a judge that saw the others' votes must not gain by hiding its own.
        hiding: Bp = 5_000, 2_500 => BP, "25 to 100 %";
        /// The most points that one answer brings or costs a seat.
        points_clip: u8 = 30, 10 => 50, "10 to 50 points";
        /// The most by which a settled task moves its type's baseline.
        baseline_step: u8 = 1, 1 => 5, "1 to 5 points";
        /// Part of a roster that may be locked when a panel is drawn, in basis points.
        panel_locks: Bp = 3_333, 2_000 => 5_000, "20 to 50 %";
        /// Part of a roster that may be locked when a court is drawn, in basis points.
        court_locks: Bp = 6_666, 5_000 => 7_500, "50 to 75 %";
        /// The largest reward as a part of a roster, outside bootstrap, in basis points.
        publish_share: Bp = 1_428, 500 => 3_333, "5 to 33.33 %";
        /// The most positive reputation points that one task gives, for each TOS of the network's share.
        reputation_per_network_fee: u32 = 280, 50 => 1_000, "50 to 1,000";
        /// The least bond of an appeal to the council outside bootstrap, in wei.
        #[serde(with = "wei")]
        council_bond: Balance = 10 * TOS, 5 * TOS => 100 * TOS, "5 to 100 TOS";
    }
    relations(this) {
        this.panel_locks < this.court_locks => "court_locks", "more than panel_locks: panels must leave room for courts";
    }
}

rules! {
    /// The quality that a publisher may ask of a winner.
    BarRules {
        /// The lowest bar.
        least_bar: u8 = 20, 1 => 60, "1 to 60 points";
        /// The highest bar. With it the publisher gets little back where the best answer is below its bar.
        most_bar: u8 = 60, 1 => 60, "1 to 60 points";
    }
    relations(this) {
        this.least_bar <= this.most_bar => "most_bar", "at least least_bar";
    }
}

/// The rules for judges and seats now.
pub trait JudgeRules {
    /// The bonds of judges.
    fn roster() -> RosterRules;
    /// The stake of seats, and the part of a roster that may be locked.
    fn seats() -> SeatRules;
}

/// Rules that no one can change: those a network is born with.
impl JudgeRules for () {
    fn roster() -> RosterRules {
        RosterRules::STANDARD
    }

    fn seats() -> SeatRules {
        SeatRules::STANDARD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: Bounded + Encode + Copy>(rules: &[(T, &str)])
    where
        Checked<T>: Decode,
    {
        for (rules, field) in rules {
            assert_eq!(rules.check().map_err(|out| out.field), Err(*field));
            let decoded = Checked::<T>::decode(&mut rules.encode().as_slice());
            assert!(decoded.is_err(), "{field}");
        }
    }

    #[test]
    fn rules_of_a_new_network_are_within_bounds() {
        assert_eq!(RosterRules::STANDARD.check(), Ok(()));
        assert_eq!(SeatRules::STANDARD.check(), Ok(()));
        assert_eq!(BarRules::STANDARD.check(), Ok(()));
    }

    #[test]
    fn no_judge_is_thrown_out_by_what_let_it_in() {
        let standard = RosterRules::STANDARD;
        let with = |enter, stay| RosterRules { enter, stay };
        refused(&[
            (with(10 * TOS - 1, standard.stay), "enter"),
            (with(1_000 * TOS + 1, standard.stay), "enter"),
            (with(standard.enter, 5 * TOS - 1), "stay"),
            (with(1_000 * TOS, 500 * TOS + 1), "stay"),
            (with(standard.enter, standard.enter + 1), "stay"),
        ]);
        assert_eq!(with(standard.enter, standard.enter).check(), Ok(()));
    }

    #[test]
    fn every_rule_of_seats_has_bounds_at_both_ends() {
        type Change = fn(&mut SeatRules);
        let changes: [(Change, &str); 27] = [
            (|rules| rules.seat_stake = 4_999, "seat_stake"),
            (|rules| rules.seat_stake = 20_001, "seat_stake"),
            (
                |rules| rules.least_seat_stake = TOS / 10 - 1,
                "least_seat_stake",
            ),
            (
                |rules| rules.least_seat_stake = 5 * TOS + 1,
                "least_seat_stake",
            ),
            (|rules| rules.loss_from = 9, "loss_from"),
            (|rules| rules.loss_from = 21, "loss_from"),
            (|rules| rules.loss_full = 29, "loss_full"),
            (|rules| rules.loss_full = 61, "loss_full"),
            (|rules| rules.court_loss = 1_999, "court_loss"),
            (|rules| rules.court_loss = 6_001, "court_loss"),
            (|rules| rules.silence = 499, "silence"),
            (|rules| rules.silence = 2_001, "silence"),
            (|rules| rules.hiding = 2_499, "hiding"),
            (|rules| rules.hiding = 10_001, "hiding"),
            (|rules| rules.points_clip = 9, "points_clip"),
            (|rules| rules.points_clip = 51, "points_clip"),
            (|rules| rules.baseline_step = 0, "baseline_step"),
            (|rules| rules.baseline_step = 6, "baseline_step"),
            (|rules| rules.panel_locks = 1_999, "panel_locks"),
            (|rules| rules.panel_locks = 5_001, "panel_locks"),
            (|rules| rules.court_locks = 4_999, "court_locks"),
            (|rules| rules.court_locks = 7_501, "court_locks"),
            (|rules| rules.publish_share = 499, "publish_share"),
            (|rules| rules.publish_share = 3_334, "publish_share"),
            (
                |rules| rules.reputation_per_network_fee = 49,
                "reputation_per_network_fee",
            ),
            (
                |rules| rules.reputation_per_network_fee = 1_001,
                "reputation_per_network_fee",
            ),
            (|rules| rules.council_bond = 5 * TOS - 1, "council_bond"),
        ];
        for (change, field) in changes {
            let mut rules = SeatRules::STANDARD;
            change(&mut rules);
            refused(&[(rules, field)]);
        }
        let dear = SeatRules {
            council_bond: 100 * TOS + 1,
            ..SeatRules::STANDARD
        };
        let full = SeatRules {
            panel_locks: 5_000,
            court_locks: 5_000,
            ..SeatRules::STANDARD
        };
        refused(&[(dear, "council_bond"), (full, "court_locks")]);
    }

    #[test]
    fn a_bar_above_sixty_is_refused() {
        let with = |least_bar, most_bar| BarRules {
            least_bar,
            most_bar,
        };
        refused(&[
            (with(20, 61), "most_bar"),
            (with(0, 60), "least_bar"),
            (with(30, 29), "most_bar"),
        ]);
        assert_eq!(with(60, 60).check(), Ok(()));
    }
}
