// SPDX-License-Identifier: Apache-2.0

//! Money is neither made nor lost.

use crate::mock::*;
use crate::HoldReason;
use frame_support::{assert_ok, traits::fungible::Inspect};
use polkadot_sdk::*;
use tos_interfaces::Roster;
use tos_pallet_support::testing::{held_money_conforms, keeps_money};
use tos_types::{Balance, TOS};

#[test]
fn held_money_moves_exactly_and_to_whom_it_may() {
    ExtBuilder::default().build().execute_with(|| {
        held_money_conforms::<Balances>(HoldReason::JudgeStake, 1);
    });
}

#[test]
fn the_life_of_a_panel_moves_fines_and_pay_and_nothing_else() {
    ExtBuilder::judges(20).execute(|| {
        keeps_money::<Balances>(|| {
            draw(request(1));
            let seats = seats_of(1);
            let (mut fines, mut paid): (Balance, Balance) = (0, 0);
            for (who, number) in &seats {
                let locked = u128::from(*number) * TOS;
                let fined = fine(*who, locked / 10);
                pay(*who, TOS / 2);
                unlock(*who, locked - fined);
                (fines, paid) = (fines + fined, paid + TOS / 2);
            }
            assert_eq!(free(TREASURY), ED + fines);
            assert_eq!(free(POT), ED + paid);
            assert_eq!(Balances::total_balance(&100), FUNDS - paid);
            assert_eq!(<Judges as Roster<u64>>::pot(), POT);
            // All can leave with what is left.
            for who in 1..=20 {
                assert_ok!(Judges::leave(origin(who), TYPE));
            }
            skip_to(2_000);
            for who in 1..=20 {
                assert_ok!(Judges::withdraw(origin(who), TYPE));
            }
            let all: Balance = (1..=20).map(free).sum();
            assert_eq!((all, free(POT)), (20 * FUNDS - fines + paid, ED));
        });
    });
}
