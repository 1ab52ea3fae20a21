"""What is read out of Ansible's words about a target."""

from tests.strangers.run_ansible_targets import read_outcome

RECAP = "localhost                  : ok={ok}    changed=1    unreachable=0    failed={failed}    skipped=1\n"
SAID = f"""
TASK [target : Try what must fail] *****************
fatal: [localhost]: FAILED! => {{"msg": "meant"}}
...ignoring

TASK [target : ansible.builtin.assert] *************
ok: [localhost] => {{
    "changed": false,
    "msg": "All assertions passed"
}}

PLAY RECAP ****************
{RECAP.format(ok=3, failed=0)}
TASK [target : Look at it] *************************
fatal: [localhost]: FAILED! => {{
    "assertion": "it is so",
    "msg": "Assertion failed"
}}

TASK [target : Clean up] ***************************
failed: [localhost] => {{"msg": "nothing there"}}

PLAY RECAP ****************
{RECAP.format(ok=4, failed=1)}"""


def test_counts_of_all_plays_of_a_target_are_added() -> None:
    """A target may be several plays; what it meant to fail is no failure."""
    outcome = read_outcome("target", SAID, passed=False)
    assert (outcome.tasks["ok"], outcome.tasks["failed"], outcome.tasks["skipped"]) == (7, 1, 2)
    assert outcome.assertions == 1


def test_the_first_failure_that_was_not_meant_is_told() -> None:
    """With its task; clean-up that fails because of it is not the reason."""
    told = read_outcome("target", SAID, passed=False).failure
    assert told.startswith('target : Look at it: fatal: [localhost]: FAILED! => { "assertion": "it is so"')
    assert "nothing there" not in told


def test_without_any_task_the_end_of_what_was_said_is_told() -> None:
    """Such as a collection that is not found."""
    assert read_outcome("target", "[ERROR]: no such role\n", passed=False).failure == "[ERROR]: no such role"
    assert read_outcome("target", SAID, passed=True).failure == ""
