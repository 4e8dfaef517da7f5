"""What the broker says of a member of a group."""

from __future__ import annotations

from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupState

FORMING = {
    ConsumerGroupState.PREPARING_REBALANCING: "it waits for its members to join anew",
    ConsumerGroupState.COMPLETING_REBALANCING: "its partitions are being dealt",
    ConsumerGroupState.EMPTY: "it has no members",
    ConsumerGroupState.DEAD: "there is no such group",
}


class Membership(NamedTuple):
    """Whether the group counts the member in, how many partitions are that one's, and what the group is about if it is
    being formed anew."""

    is_member: bool
    partitions: int
    forming: str = ""


def membership_of(group: Any, member: str) -> Membership:
    """What a description of a group (`AdminClient.describe_consumer_groups`) says of a member, by its id."""
    dealt = {one.member_id: len(one.assignment.topic_partitions) for one in group.members}
    return Membership(member in dealt, dealt.get(member, 0), FORMING.get(group.state, ""))
