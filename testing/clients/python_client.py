# SPDX-License-Identifier: Apache-2.0
"""substrate-interface or async-substrate-interface, as TOS_LIBRARY says, on a chain with audits in its blocks; test_clients.py runs
it."""

import asyncio
import collections
import json
import os
import secrets
import unittest

import tos_blocks

LIBRARY = os.environ["TOS_LIBRARY"]
IS_ASYNC = LIBRARY == "async-substrate-interface"
if IS_ASYNC:
    from async_substrate_interface import AsyncSubstrateInterface
    from async_substrate_interface.errors import SubstrateRequestException
    from async_substrate_interface.sync_substrate import SubstrateInterface
    from bittensor_wallet import Keypair
else:
    from substrateinterface import Keypair, SubstrateInterface
    from substrateinterface.exceptions import SubstrateRequestException

from scalecodec.exceptions import RemainingScaleBytesNotEmptyException

URL = os.environ["TOS_URL"]
CONTENT = json.loads(os.environ["TOS_CONTENT"])
TOS = 10**18
SIGNER = "//Ferdie" if IS_ASYNC else "//Two"
BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
ANSWERS = {"respond_audit", "respond_seal", "respond_window", "submit_group"}


def publication(reward):
    return {"params": {"General": {"subject": "clients"}}, "difficulty": "Beginner", "spec": {**CONTENT, "locator": ""},
            "reward": reward, "open_for": 200, "min_quality": 50, "max_participants": 2, "reference": None}


def value(found):
    """Plain data of a value that a library found."""
    return getattr(found, "value", found)


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.substrate = SubstrateInterface(url=URL)
        cls.keys = Keypair.create_from_uri(SIGNER)

    @classmethod
    def tearDownClass(cls):
        cls.substrate.close()

    def result(self, method, *params):
        return self.substrate.rpc_request(method, list(params))["result"]

    def final(self):
        """The number of the last final block."""
        return int(self.result("chain_getHeader", self.result("chain_getFinalizedHead"))["number"], 16)

    def send(self, module, function, params):
        call = self.substrate.compose_call(call_module=module, call_function=function, call_params=params)
        signed = self.substrate.create_signed_extrinsic(call=call, keypair=self.keys)
        return self.substrate.submit_extrinsic(signed, wait_for_inclusion=True)

    def outcome(self, receipt):
        """The outcome by tos_blocks, after the receipt did what docs/rpc.md says of it."""
        found = tos_blocks.outcome(self.substrate, receipt.block_hash, receipt.extrinsic_hash)
        kinds = {extrinsic.kind for extrinsic in tos_blocks.extrinsics(self.substrate, receipt.block_hash)}
        if tos_blocks.GENERAL in kinds:
            with self.assertRaises(RemainingScaleBytesNotEmptyException):
                self.fail(f"a receipt says {receipt.is_success}")
        else:
            self.assertEqual(receipt.is_success, found.success)
        return found

    def test_every_block_since_genesis_is_read_and_get_block_refuses_those_with_general_transactions(self):
        seen = collections.Counter()
        for number in range(1, self.final() + 1):
            at = self.result("chain_getBlockHash", number)
            found = tos_blocks.extrinsics(self.substrate, at)
            kinds = [extrinsic.kind for extrinsic in found]
            seen.update(kinds)
            for extrinsic in found:
                self.assertEqual({"call_module", "call_function", "call_args"} - set(extrinsic.call), set())
                if extrinsic.kind == tos_blocks.GENERAL:
                    self.assertEqual(extrinsic.call["call_module"], "Storage")
                    self.assertIn(extrinsic.call["call_function"], ANSWERS)
            self.assertTrue(self.substrate.get_events(block_hash=at))
            # The day this fails, the limit is gone, and docs/rpc.md can say so.
            if tos_blocks.GENERAL in kinds:
                with self.assertRaises(RemainingScaleBytesNotEmptyException):
                    self.substrate.get_block(block_hash=at)
            else:
                self.assertEqual(len(self.substrate.get_block(block_hash=at)["extrinsics"]), len(found))
        self.assertEqual(set(seen), {tos_blocks.BARE, tos_blocks.GENERAL, tos_blocks.SIGNED})

    def test_new_heads_are_followed(self):
        heard = []

        def handler(header, *_):
            heard.append(value(header)["header"]["number"])
            return heard if len(heard) == 3 else None

        if IS_ASYNC:
            async def follow():
                async with AsyncSubstrateInterface(url=URL) as substrate:
                    async def tell(header):
                        return handler(header)

                    await substrate.subscribe_block_headers(tell)

            asyncio.run(follow())
        else:
            self.substrate.subscribe_block_headers(handler)
        self.assertEqual(heard, sorted(set(heard)))

    def test_a_transfer_and_a_task_are_signed_and_sent_and_their_events_are_told(self):
        paid = self.outcome(self.send("Balances", "transfer_keep_alive", {"dest": BOB, "value": TOS}))
        self.assertIsNone(paid.error)
        self.assertTrue(paid.success)
        transfer = dict(paid.events)["Balances.Transfer"]
        self.assertEqual((transfer["to"], transfer["amount"]), (BOB, TOS))
        receipt = self.send("Tasks", "publish", publication(5 * TOS))
        published = self.outcome(receipt)
        self.assertIsNone(published.error)
        task = dict(published.events)["Tasks.Published"]["task"]
        tasks = self.substrate.query_map("Tasks", "Tasks", block_hash=receipt.block_hash)
        self.assertIn(task, [value(key) for key, _ in tasks])
        page = self.result("tos_openTasks", "general", None, 50, receipt.block_hash)
        self.assertIn(task, ["0x" + item["id"].replace("-", "") for item in page["items"]])

    def test_a_refused_call_is_told_by_the_name_of_its_error(self):
        refused = self.outcome(self.send("Tasks", "publish", publication(4 * TOS)))
        self.assertEqual((refused.success, refused.error), (False, "Tasks.RewardOutsideBand"))

    @unittest.skipUnless(IS_ASYNC, "the other library calls functions of its own list only")
    def test_runtime_apis_are_called_by_name(self):
        self.assertGreater(value(self.substrate.runtime_call("TosApi", "chain"))["tick"], 0)
        self.assertIn("head", value(self.substrate.runtime_call("BeaconApi", "beacon")))
        self.assertIn("config", value(self.substrate.runtime_call("StorageApi", "storage_stats")))

    @unittest.skipIf(IS_ASYNC, "the other library calls them all")
    def test_runtime_apis_of_tos_are_not_in_the_list_of_the_library(self):
        with self.assertRaisesRegex(ValueError, "TosApi.chain"):
            self.substrate.runtime_call("TosApi", "chain")
        self.assertGreater(self.result("tos_chain")["tick"], 0)

    def test_a_general_transaction_reaches_what_checks_the_signature_inside_it(self):
        def transaction(proof):
            return tos_blocks.general(self.substrate.compose_call(
                call_module="Storage", call_function="respond_audit", call_params={"proof": proof}))

        with self.assertRaisesRegex(SubstrateRequestException, "Invalid Transaction") as refused:
            self.substrate.rpc_request("author_submitExtrinsic", [transaction("0x00" + secrets.token_hex(8))])
        # One library tells code and reason, the other the message only.
        if not IS_ASYNC:
            error = refused.exception.args[0]
            self.assertEqual((error["code"], error["data"]), (1010, "Transaction has a bad signature"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
