// SPDX-License-Identifier: Apache-2.0

//! The walk against an independent slow reference: `scripts/vectors/vdf.py` writes the file read
//! here. Every backend of the machine must agree with it.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use tos_vdf::*;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../testing/vectors/vdf.json")).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn state(value: &Value) -> State {
    bytes(value).try_into().unwrap()
}

fn hash(value: &Value) -> Hash {
    bytes(value).try_into().unwrap()
}

fn number(value: &Value) -> u64 {
    match value {
        Value::String(digits) => digits.parse().unwrap(),
        other => other.as_u64().unwrap(),
    }
}

fn backends() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|it| it.is_available())
}

fn xor(a: &State, b: &State) -> State {
    core::array::from_fn(|i| a[i] ^ b[i])
}

#[test]
fn the_permutation_gives_the_published_hash() {
    let vector = &vectors()["haraka512"];
    let message = state(&vector["message"]);
    for backend in backends() {
        let mixed = xor(&backend.permute(&message).unwrap(), &message);
        // Haraka-512 keeps the outer or inner halves of the lanes.
        let hash = [
            &mixed[8..16],
            &mixed[24..32],
            &mixed[32..40],
            &mixed[48..56],
        ]
        .concat();
        assert_eq!(hash, bytes(&vector["hash"]), "{backend:?}");
    }
}

#[test]
fn the_permutation_agrees() {
    let vectors = vectors();
    for vector in list(&vectors["permutation"]) {
        for backend in backends() {
            assert_eq!(
                backend.permute(&state(&vector["input"])),
                Some(state(&vector["output"])),
                "{backend:?}"
            );
        }
    }
}

#[test]
fn argon2d_gives_the_tag_of_rfc_9106() {
    let vector = &vectors()["argon2d"];
    let cost = |key: &str| number(&vector[key]) as u32;
    let params = argon2::ParamsBuilder::new()
        .m_cost(cost("kib"))
        .t_cost(cost("passes"))
        .p_cost(cost("lanes"))
        .data(argon2::AssociatedData::new(&bytes(&vector["data"])).unwrap())
        .build()
        .unwrap();
    let secret = bytes(&vector["secret"]);
    let argon2 = argon2::Argon2::new_with_secret(
        &secret,
        argon2::Algorithm::Argon2d,
        argon2::Version::V0x13,
        params,
    )
    .unwrap();
    let mut tag = [0; 32];
    let mut memory = vec![argon2::Block::new(); 32];
    argon2
        .hash_password_into_with_memory(
            &bytes(&vector["password"]),
            &bytes(&vector["salt"]),
            &mut tag,
            &mut memory,
        )
        .unwrap();
    assert_eq!(tag, hash(&vector["tag"]));
}

#[test]
fn derived_states_and_outputs_agree() {
    let vectors = vectors();
    for vector in list(&vectors["initialState"]) {
        assert_eq!(
            initial_state(&hash(&vector["seed"])),
            state(&vector["state"])
        );
    }
    for vector in list(&vectors["inject"]) {
        let after = inject(&state(&vector["state"]), &hash(&vector["entropy"]));
        assert_eq!(after, state(&vector["after"]));
    }
    for vector in list(&vectors["output"]) {
        let output = output(number(&vector["slot"]), &state(&vector["end"]));
        assert_eq!(output, hash(&vector["output"]));
    }
}

#[test]
fn fine_roots_of_any_count_agree() {
    let vectors = vectors();
    for vector in list(&vectors["fineRoots"]) {
        let states: Vec<State> = (0..number(&vector["count"]) as u32)
            .map(|i| {
                let mut state = [0; 64];
                let mut hasher = blake3::Hasher::new();
                hasher
                    .update(&i.to_le_bytes())
                    .finalize_xof()
                    .fill(&mut state);
                state
            })
            .collect();
        assert_eq!(fine_root(&states), hash(&vector["root"]));
    }
}

fn build(vector: &Value) -> Dataset {
    let params: VdfParams = serde_json::from_value(vector["params"].clone()).unwrap();
    Dataset::build(&params, &hash(&vector["seed"])).unwrap()
}

#[test]
fn datasets_agree() {
    let vectors = vectors();
    for vector in list(&vectors["datasets"]) {
        let dataset = build(vector);
        let lines = dataset.bytes();
        assert_eq!(lines.len(), 1 << (dataset.params().log2_lines + 6));
        assert_eq!(lines[..64], state(&vector["firstLine"]));
        assert_eq!(lines[lines.len() - 64..], state(&vector["lastLine"]));
        assert_eq!(dataset.root(), hash(&vector["root"]));
    }
}

#[test]
fn the_state_after_one_read_one_iteration_and_many_agrees() {
    let vectors = vectors();
    for vector in list(&vectors["datasets"]) {
        let mut dataset = build(vector);
        for walk in list(&vector["walks"]) {
            let (start, first) = (state(&walk["start"]), number(&walk["first"]));
            let mut counted = start;
            for (byte, counter) in counted[48..].iter_mut().zip(first.to_le_bytes()) {
                *byte ^= counter;
            }
            let mask = (1u64 << dataset.params().log2_lines) - 1;
            let word = u64::from_le_bytes(counted[..8].try_into().unwrap());
            let at = 64 * (word & mask) as usize;
            let line: State = dataset.bytes()[at..at + 64].try_into().unwrap();
            for backend in backends() {
                let read = backend.permute(&xor(&counted, &line)).unwrap();
                assert_eq!(xor(&read, &counted), state(&walk["afterOneRead"]));

                assert!(dataset.set_backend(backend));
                let claim = |iterations, end: &Value| Segment {
                    start,
                    end: state(end),
                    first_iteration: first,
                    iterations,
                };
                let iterations = number(&walk["iterations"]) as u32;
                let claims = [
                    claim(1, &walk["afterOneIteration"]),
                    claim(iterations, &walk["end"]),
                ];
                assert!(verify_segments(&dataset, &claims), "{backend:?}");
            }
        }
    }
}

#[test]
fn whole_slots_and_their_spots_agree() {
    let vectors = vectors();
    for vector in list(&vectors["datasets"]) {
        let mut dataset = build(vector);
        let slot = &vector["slot"];
        let (start, first) = (state(&slot["start"]), number(&slot["first"]));
        let coarse: Vec<State> = list(&slot["coarse"]).iter().map(state).collect();
        let proof = SlotProof {
            coarse: coarse.try_into().unwrap(),
            fine_root: hash(&slot["fineRoot"]),
        };
        for backend in backends() {
            assert!(dataset.set_backend(backend));
            let evaluation = evaluate_slot(&dataset, &start, first, &|| false).unwrap();
            assert_eq!(evaluation.proof, proof, "{backend:?}");
            let fine = verify_slot(&dataset, &start, first, &proof).unwrap();
            assert_eq!(evaluation.fine, fine, "{backend:?}");
            let all = blake3::hash(fine.as_flattened());
            assert_eq!(*all.as_bytes(), hash(&slot["fineStates"]));

            for spot in list(&slot["spots"]) {
                let opening = SpotOpening {
                    index: number(&spot["index"]) as u16,
                    start: state(&spot["start"]),
                    end: state(&spot["end"]),
                    siblings: list(&spot["siblings"]).iter().map(hash).collect(),
                };
                assert_eq!(
                    open_spot(&start, &fine, opening.index).as_ref(),
                    Some(&opening)
                );
                assert!(verify_spot_opening(&proof.fine_root, &start, &opening));
                let segment = spot_segment(dataset.params(), first, &opening);
                assert!(verify_segments(&dataset, &[segment]));
            }
        }
    }
}
