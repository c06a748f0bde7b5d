// SPDX-License-Identifier: Apache-2.0

//! Outcome of a call that was sent. A node forgets transactions, drops them from a full pool, says
//! `invalid` of one that is in a block already, or ends the subscription: only the chain tells
//! whether one got in.

use super::{
    interface::{FeePaid, Offered, Published},
    multisig, proxy,
    transaction::{Included, Place, Submission, Wait},
    words::refusal,
    At, Call, Connection,
};
use crate::{
    any_chain::{block_hash, head, Block, Hash, Head, Header},
    error::{Context, Error, Result},
    keys::Signer,
};
use codec::DecodeAll;
use subxt::{
    config::{substrate::H256, Hasher},
    error::DispatchError,
    events::Phase,
};

impl Connection {
    /// Brings a call into the chain, once, and waits until it is in such a block as `wait` asks for.
    /// Goes on for as long as that takes.
    pub(super) async fn settle(
        &self,
        signer: &Signer,
        call: &Call,
        wait: Wait,
        submission: &mut Submission,
    ) -> Result<Included> {
        loop {
            let best = self.best().await?;
            let outcome = match self.find(&best, signer, submission).await? {
                Some(place) => self.settled(place, wait, submission).await,
                None => self.try_once(&best, signer, call, wait, submission).await,
            };
            match outcome {
                Ok(Some(included)) => return Ok(included),
                Ok(None) => {}
                Err(error) => {
                    if submission.place.is_some() && matches!(error, Error::Refused { .. }) {
                        // It is in its block, and failed there: nothing is open.
                        *submission = Submission::default();
                    }
                    return Err(error);
                }
            }
            tokio::time::sleep(self.look).await;
        }
    }

    /// Signs and sends a call and follows it as long as the node tells of it. Nothing when it has to
    /// be looked for, or sent again.
    async fn try_once(
        &self,
        best: &At,
        signer: &Signer,
        call: &Call,
        wait: Wait,
        submission: &mut Submission,
    ) -> Result<Option<Included>> {
        let nonce = match submission.nonce {
            Some(nonce) => nonce,
            None => self.nonce(best, signer).await?,
        };
        if submission.hashes.is_empty() {
            self.try_out(best, nonce, signer, call).await?;
        }
        submission.nonce = Some(nonce);
        let life = self.mortality(best).await?;
        match self.send(best, life, signer, call, submission).await {
            Ok(progress) => {
                submission.last_error = None;
                self.follow(progress, wait, submission).await
            }
            Err(error @ (Error::Pending(_) | Error::Busy(_))) => {
                tracing::info!(%error, "waiting");
                submission.last_error = Some(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The outcome of a transaction that is in the best chain, if `wait` asks for no more.
    async fn settled(
        &self,
        place: Place,
        wait: Wait,
        submission: &mut Submission,
    ) -> Result<Option<Included>> {
        let finalised = self.final_head().await?.number >= place.number;
        if wait == Wait::Finalised && !finalised && submission.done.is_some() {
            return Ok(None);
        }
        let outcome = self
            .outcome(H256(place.block), place.transaction, submission)
            .await;
        match outcome {
            // Another block may hold it in the end, and there it may succeed, or fail.
            Ok(_) | Err(Error::Refused { .. }) if wait == Wait::Finalised && !finalised => Ok(None),
            Ok(included) => Ok(Some(Included {
                finalised,
                ..included
            })),
            Err(error) => Err(error),
        }
    }

    /// Looks once where a call is.
    pub(super) async fn look_up(
        &self,
        signer: &Signer,
        submission: &mut Submission,
    ) -> Result<Option<Included>> {
        let best = self.best().await?;
        match self.find(&best, signer, submission).await? {
            Some(place) => self.settled(place, Wait::Best, submission).await,
            None => Ok(None),
        }
    }

    /// Searches the chain that ends in `best` for a call. Nothing when it is not in there; then it
    /// may be sent again under its nonce, or under a new one if it has none any more because another
    /// transaction took it.
    async fn find(
        &self,
        best: &At,
        signer: &Signer,
        submission: &mut Submission,
    ) -> Result<Option<Place>> {
        if let Some(place) = submission.place {
            if self.hash_of_number(place.number).await? == Some(place.block) {
                return Ok(Some(place));
            }
            // A reorganisation undid that block.
            (submission.place, submission.done) = (None, None);
        }
        // What carries its own authorisation has no nonce to look for. Whether it is still wanted is
        // in the chain's state.
        let Some(nonce) = submission.nonce else {
            return Ok(None);
        };
        if self.nonce(best, signer).await? <= nonce {
            return Ok(None);
        }
        if !submission.hashes.is_empty() {
            // From child to parent: exactly the chain whose nonce was read, whatever becomes the
            // best one meanwhile.
            let mut hash = best.block.block_hash();
            loop {
                let (header, extrinsics) = self.block(hash).await?;
                if header.number <= submission.after {
                    break;
                }
                let hasher = best.block.hasher();
                let found = extrinsics
                    .iter()
                    .map(|bytes| hasher.hash(bytes).0)
                    .find(|hash| submission.hashes.contains(hash));
                if let Some(transaction) = found {
                    let place = Place {
                        block: hash.0,
                        number: header.number,
                        transaction,
                    };
                    submission.place = Some(place);
                    return Ok(Some(place));
                }
                hash = header.parent_hash;
            }
        }
        *submission = Submission::default();
        Ok(None)
    }

    /// Outcome of a transaction in a block, which the submission then knows as its place.
    pub(super) async fn outcome(
        &self,
        block: H256,
        transaction: [u8; 32],
        submission: &mut Submission,
    ) -> Result<Included> {
        let at = match self.client.at_block(block).await {
            Ok(at) => at,
            Err(error) => return Err(self.explain(error).await),
        };
        let (_, extrinsics) = self.block(block).await?;
        let hasher = at.hasher();
        let index = extrinsics
            .iter()
            .position(|bytes| hasher.hash(bytes).0 == transaction)
            .ok_or_else(|| Error::Failed(format!("block {block:?} lacks the transaction")))?;
        submission.place = Some(Place {
            block: block.0,
            number: at.block_number(),
            transaction,
        });
        submission.done = None;
        let events = match at.events().fetch().await {
            Ok(events) => events,
            Err(error) => return Err(self.explain(error).await),
        };
        let mut included = Included {
            block: block.0,
            transaction,
            finalised: false,
            task: None,
            deal: None,
        };
        // The fee is told after what a proxy or a multisig did, and before what the transaction did.
        let (mut failed, mut fee) = (None, None);
        for event in events.iter() {
            let event = event.context("reading events")?;
            if event.phase() != Phase::ApplyExtrinsic(index as u32) {
                continue;
            }
            let name = (event.pallet_name(), event.event_name());
            if name == ("System", "ExtrinsicFailed") {
                let error = DispatchError::decode_from(event.field_bytes(), at.metadata());
                failed = failed.or(Some(error.context("reading events")?));
            } else if name == proxy::EXECUTED {
                failed = failed.or(proxy::failed(event.field_bytes(), at.metadata())?);
            } else if name == multisig::EXECUTED {
                let result = event.field_bytes().get(multisig::BEFORE_RESULT..);
                let result = result.unwrap_or_default();
                failed = failed.or(proxy::failed(result, at.metadata())?);
            } else if name == FeePaid::NAME {
                let paid = FeePaid::decode_all(&mut event.field_bytes());
                fee = Some(paid.context("reading events")?.actual_fee);
            } else if name == Published::NAME {
                let published = Published::decode_all(&mut event.field_bytes());
                included.task = Some(published.context("reading events")?.task);
            } else if name == Offered::NAME {
                let offered = Offered::decode_all(&mut event.field_bytes());
                included.deal = Some(offered.context("reading events")?.deal);
            }
        }
        if let Some(error) = failed {
            return Err(refusal(&error, fee.filter(|fee| *fee > 0)));
        }
        submission.done = Some(included.clone());
        Ok(included)
    }

    /// The last finalised block.
    pub(super) async fn final_head(&self) -> Result<Block> {
        match head(&self.rpc, Head::Final).await {
            Ok(block) => Ok(block),
            Err(error) => Err(self.or_lost(error).await),
        }
    }

    /// The hash of the best chain's block of this number, if the node has it.
    pub(super) async fn hash_of_number(&self, number: u64) -> Result<Option<Hash>> {
        match block_hash(&self.rpc, number).await {
            Ok(hash) => Ok(hash),
            Err(error) => Err(self.or_lost(error).await),
        }
    }

    /// A block's header and its transactions.
    async fn block(&self, hash: H256) -> Result<(Header, Vec<Vec<u8>>)> {
        match self.methods.chain_get_block(Some(hash)).await {
            Ok(Some(details)) => {
                let extrinsics = details.block.extrinsics.into_iter().map(|bytes| bytes.0);
                Ok((details.block.header, extrinsics.collect()))
            }
            Ok(None) => Err(Error::Failed(format!("the node has no block {hash:?}"))),
            Err(error) => Err(self.explain(error).await),
        }
    }
}
