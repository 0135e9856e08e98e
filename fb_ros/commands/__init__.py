"""The commands of `fb_ros` that need neither a simulator nor torch.

Each room with commands has such a table. The table imports none of them: `fb_ros` itself must run
where torch and MuJoCo are absent.
"""

from fb_ros.command import Entry

COMMANDS = {
    "build-engine": Entry("build_engine", "tensorrt", "TensorRT engines of a model"),
    "bundle sign": Entry("sign_bundle", "sign", "sign a bundle with a key of your own"),
    "bundle verify": Entry("verify_bundle", "sign", "whether a bundle is whole and signed"),
    "inspect": Entry("inspect_bundle", "", "what a bundle is and where it came from"),
    "prompt": Entry("prompt_command", "", "ask a running robot for something"),
}
