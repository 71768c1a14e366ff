"""Lines for people, said once."""

from vouch.watcher.finding import Finding, Kind, Teller


def test_a_line_is_not_repeated_until_it_is_forgotten() -> None:
    said: list[Finding] = []
    teller = Teller(said.append)
    a, b = b"a", b"b"
    teller.tell(Kind.SAME, a, "yes")
    teller.tell(Kind.SAME, a, "yes")
    teller.tell(Kind.SAME, b, "yes")
    teller.tell(Kind.TROUBLE, a, "yes")
    teller.tell(Kind.SAME, a, "other")
    assert [(f.kind, f.request, f.text) for f in said] == [
        (Kind.SAME, a, "yes"),
        (Kind.SAME, b, "yes"),
        (Kind.TROUBLE, a, "yes"),
        (Kind.SAME, a, "other"),
    ]
    assert teller.counts == {Kind.SAME: 3, Kind.TROUBLE: 1}
    teller.forget(a)
    teller.tell(Kind.SAME, a, "other")
    assert len(said) == 5
    teller.tidy({a})
    teller.tell(Kind.SAME, a, "other")
    teller.tell(Kind.SAME, b, "yes")
    assert [f.request for f in said[5:]] == [b]
