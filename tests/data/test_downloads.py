"""Downloads against a real server on this machine: what arrives, what is refused, what is tried again."""

import io
import socket
import threading

import pytest
from drawings import HTML, animation, plain
from ipyfastai.models.data.downloads import Wanted, download_images
from ipyfastai.models.data.urls import UrlSource, read_urls
from ipyfastai.models.data.web import Again, Web
from ipyfastai.models.progress import Progress
from picture_server import anywhere, pictures, reply

WEB = {"web": Web(allowed=anywhere)}


def fetch(url, **options):
    file = io.BytesIO()
    Web(allowed=options.pop("allowed", anywhere)).get(url, file, **{"max_bytes": 10**6, **options})
    return file.getvalue()


def to(path):
    return lambda handler: reply(handler, 302, Location=path)


def chunked(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for part in (plain()[:100], plain()[100:], b""):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(bytes(1 << 16))
    except OSError:
        handler.close_connection = True


def cut_off(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(plain())))
    handler.end_headers()
    handler.wfile.write(plain()[:100])
    handler.close_connection = True


def busy(times, answer=None, wait=0):
    """Answers 503 that many times, then with a picture."""
    left = [times]

    def handle(handler):
        left[0] -= 1
        if left[0] >= 0:
            reply(handler, 503, Retry_After=wait)
        else:
            reply(handler, 200, answer or plain())

    return handle


def test_one_file_comes_as_it_is_also_in_chunks_and_round_corners():
    with pictures({"/1.jpg": plain(), "/c": chunked, "/r": to("/ü 1.jpg?x=1"), "/%C3%BC%201.jpg": plain()}) as server:
        assert fetch(server.url + "/1.jpg") == fetch(server.url + "/c") == fetch(server.url + "/r") == plain()
        assert all(agent.startswith("ipyfastai/") for agent in server.agents)


@pytest.mark.parametrize(
    ("routes", "raises", "says"),
    [
        ({}, ValueError, "nothing at this address .404"),
        ({"/": lambda handler: reply(handler, 403)}, ValueError, "does not give it out .403"),
        ({"/": lambda handler: reply(handler, 503)}, Again, "busy or out of order .503"),
        ({"/": to("/")}, ValueError, "from one to the next without end"),
        ({"/": to("file:///etc/passwd")}, ValueError, "begin with http"),
        ({"/": bytes(2 * 10**6)}, ValueError, "larger than 1 MB"),
        ({"/": endless}, ValueError, "larger than 1 MB"),
        ({"/": cut_off}, Again, "broke off"),
        ({"/": lambda handler: handler.connection.close()}, Again, "broke off"),
    ],
    ids=["404", "403", "503", "circle", "to a file", "too large", "endless", "cut off", "hangs up"],
)
def test_what_goes_wrong_is_a_sentence(routes, raises, says):
    with pictures(routes) as server, pytest.raises(raises, match=says):
        fetch(server.url + "/")


def test_nothing_within_this_machine_is_asked_by_the_real_rules(tmp_path):
    with pictures({"/1.jpg": plain()}) as server:
        with pytest.raises(ValueError, match="There is no host 127.0.0.1, or it lies within a private network"):
            Web().get(server.url + "/1.jpg", io.BytesIO(), max_bytes=10**6)
        with pytest.raises(RuntimeError, match="within a private network"):
            UrlSource({"x": [server.url + "/1.jpg"]}).fetch(tmp_path)
        assert not server.asked


def test_a_redirect_is_checked_anew():
    """A public host may send its visitors to localhost."""
    with pictures({"/secret": plain()}) as inner, pictures({"/": to(inner.url + "/secret")}) as outer:
        asked = []

        def only_the_first(address):
            asked.append(address)
            return len(asked) == 1

        with pytest.raises(ValueError, match="private network"):
            fetch(outer.url + "/", allowed=only_the_first)
        assert len(asked) == 2 and not inner.asked


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    """A name that resolves to another address the second time gains nothing (DNS rebinding)."""
    with pictures({"/1.jpg": plain()}) as server:
        looked_up = []

        def resolve(host, *_, **__):
            looked_up.append(host)
            address = "127.0.0.1" if looked_up.count("bear.example") == 1 and host == "bear.example" else host
            assert address.startswith("127."), "the name itself was looked up again"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.server_port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert fetch(f"http://bear.example:{server.server_port}/1.jpg") == plain()
        assert looked_up.count("bear.example") == 1


def test_many_at_once_under_their_labels(tmp_path):
    gif = animation()
    routes = {f"/{n}": plain(size=(40 + n, 40)) for n in range(20)} | {"/gif": gif, "/page": HTML}
    with pictures(routes) as server:
        urls = {"red/blue": [f"{server.url}/{n}" for n in range(20)], "..": [server.url + "/gif", server.url + "/page"]}
        progress = Progress()
        got = UrlSource(urls, **WEB).fetch(tmp_path, progress=progress)
    assert [str(file.relative_to(tmp_path)) for file in got.files] == [f"red-blue/{n:05}.jpg" for n in range(20)] + [
        "_/00000.gif"
    ]
    assert (tmp_path / "_/00000.gif").read_bytes() == gif
    assert got.failures == [
        (server.url + "/page", "This is a web page, not a photo, whatever its name says. Save the picture itself.")
    ]
    assert progress.total == 22 and progress.text.endswith("of 22 photos")
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(got.files), "no parts lie about"


def test_busy_servers_are_asked_again_and_refusals_are_not(tmp_path):
    with pictures({"/twice": busy(2), "/ever": busy(99), "/cut": cut_off}) as server:
        wanted = [Wanted(f"{server.url}/{name}", tmp_path / name) for name in ("twice", "ever", "cut", "gone")]
        done = download_images(wanted, **WEB)
    assert done.files == [tmp_path / "twice.jpg"] and len(done.failures) == 3
    assert server.asked == {"/twice": 3, "/ever": 3, "/cut": 3, "/gone": 1}


def test_cancel_keeps_what_arrived_and_breaks_off_the_rest(tmp_path):
    waiting, go_on = threading.Event(), threading.Event()

    def slow(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        waiting.set()
        go_on.wait(60)
        handler.close_connection = True

    class CancelledWhenBothAreOn(Progress):
        @property
        def cancelled(self):
            return waiting.is_set() and self.done >= 1

    with pictures({"/quick": plain(), "/slow": slow}) as server:
        wanted = [Wanted(f"{server.url}/{name}", tmp_path / name) for name in ("quick", "slow", "slow2")]
        wanted[2] = Wanted(f"{server.url}/slow", tmp_path / "slow2")
        done = download_images(wanted, workers=2, progress=CancelledWhenBothAreOn(), **WEB)
        go_on.set()
    assert done.files == [tmp_path / "quick.jpg"]
    assert [why for _, why in done.failures] == ["Cancelled.", "Cancelled."]
    assert list(tmp_path.iterdir()) == [tmp_path / "quick.jpg"]


def test_limits_on_each_file_and_on_all(tmp_path):
    with pictures({"/1": plain(), "/2": plain(), "/3": plain(size=(2000, 2000), kind="BMP")}) as server:
        wanted = [Wanted(f"{server.url}/{n}", tmp_path / str(n)) for n in (1, 2, 3)]
        done = download_images(wanted, max_bytes=10**6, max_total=len(plain()) + 1, workers=1, **WEB)
    assert done.files == [tmp_path / "1.jpg"]
    assert [why for _, why in done.failures] == [
        "There is no room for more photos.",
        "This file is larger than 1 MB, the limit.",
    ]


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"mine")
    with pictures({"/1": plain()}) as server:
        done = download_images([Wanted(server.url + "/1", tmp_path / "1")], **WEB)
    assert done.files == [] and "has this name already" in done.failures[0][1]
    assert (tmp_path / "1.jpg").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (socket.EAI_AGAIN, "Nothing can be downloaded: this kernel has no network"),
        (
            socket.EAI_NONAME,
            "None of these hosts can be found: the addresses are wrong or within a private network, or this kernel has",
        ),
    ],
)
def test_without_network_it_is_said_once(tmp_path, monkeypatch, code, says):
    asked = []

    def no_resolver(host, *_, **__):
        asked.append(host)
        raise socket.gaierror(code, "as the resolver says")

    monkeypatch.setattr(socket, "getaddrinfo", no_resolver)
    source = UrlSource({"bear": [f"https://example.org/{n}.jpg" for n in range(500)]})
    with pytest.raises(RuntimeError, match=says):
        source.fetch(tmp_path)
    assert code == socket.EAI_NONAME or len(asked) <= 8 + 8, "eight without an answer, and what was on its way"


def test_lines_of_text_are_labels_and_addresses():
    text = "https://a.org/0\n\n grizzly bear: \nhttps://a.org/1\nhttps://a.org/2\nhttps://a.org/1\nteddy\n\thttp://b.org/3\n"
    assert read_urls(text) == {
        "unlabelled": ["https://a.org/0"],
        "grizzly bear": ["https://a.org/1", "https://a.org/2"],
        "teddy": ["http://b.org/3"],
    }


@pytest.mark.parametrize(
    ("urls", "says"),
    [("", "no web address"), ("teddy\ngrizzly", "no web address"), ({"a": ["http://a.org"] * 5001}, "5,001 addresses")],
    ids=["nothing", "labels only", "too many"],
)
def test_lists_that_will_not_do(urls, says):
    with pytest.raises(ValueError, match=says):
        UrlSource(urls)


def test_the_reason_is_told_where_nothing_came(tmp_path):
    with (
        pictures({}) as server,
        pytest.raises(ValueError, match="None of the 2 addresses gave a photo. The first: There is nothing"),
    ):
        UrlSource({"a": [server.url + "/1", server.url + "/2"]}, **WEB).fetch(tmp_path)
