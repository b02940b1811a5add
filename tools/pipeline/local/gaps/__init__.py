"""What MiniStack does otherwise than AWS, each mended in a module named for it.

`configurations`, `invocations` and `statements` stand before MiniStack's public API. The rest never passes that API:
CloudFormation makes functions from the inside, rules send and mappings poll there, and the names of IAM's actions,
request ids and senders are made up there. For these, `inside`, `mappings`, `rule_targets`, `sender_ids` and `streams`
wrap MiniStack's own functions.
For each gap a test asks MiniStack alone, and fails on the day that it needs no mending.
"""

from dataclasses import replace

from pipeline.local.asynchronous import AwsApi

from . import inside
from .configurations import Configurations
from .invocations import Invocations
from .mappings import map_queues
from .rule_targets import deliver_by
from .sender_ids import SenderIds, write_senders
from .statements import Statements, batch_answer, execute
from .streams import tell_streams
from .versions import tell_versions

__all__ = ["batch_answer", "deliver_by", "execute", "mended"]


def mended(aws: AwsApi) -> AwsApi:
    """Return MiniStack as AWS would be, by an API of it alone; it is mended in this process for good."""
    inside.wrap()
    write_senders(aws.account)
    tell_streams()
    tell_versions()
    map_queues()
    invocations = replace(aws, app=Invocations(SenderIds(Statements(aws))))
    return replace(aws, app=Configurations(invocations))
