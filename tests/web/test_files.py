"""Files: stored under an id, given back only as downloads, only to those who may read the message."""

import httpx
import pytest

from bot.web.files import clean_name, disposition
from kernel.errors import NotFound, ToolError
from kernel.types import FileRef
from tests.web.conftest import Chat


async def upload(client: httpx.AsyncClient, name: str, data: bytes) -> httpx.Response:
    return await client.post("/api/files", params={"name": name}, content=data)


async def attach(client: httpx.AsyncClient, channel: str, file: str, number: int = 1) -> httpx.Response:
    body = {"id": f"{number:032d}", "channel": channel, "text": "", "files": [file]}
    return await client.post("/api/messages", json=body)


async def test_a_file_reaches_the_desk_and_comes_back_as_a_download(chat: Chat) -> None:
    async with chat.client("ann") as client:
        file = (await upload(client, "../../etc/größe.csv", b"a,b\n1,2\n")).json()["file"]
        assert (file["name"], file["size"]) == ("größe.csv", 8)
        assert (await attach(client, "dm-ann", file["id"])).status_code == 200
        await chat.desk.idle()
        answer = await client.get(f"/files/{file['id']}")
    got = chat.desk.received[0].files[0]
    assert (got.name, got.media_type, got.size) == ("größe.csv", "text/csv", 8)
    assert await chat.server.adapter.download(got, 100) == b"a,b\n1,2\n"
    with pytest.raises(ToolError, match="more than the 3"):
        await chat.server.adapter.download(got, 3)
    with pytest.raises(NotFound):
        await chat.server.adapter.download(FileRef(id="../web.key", name="x"), 100)
    assert answer.content == b"a,b\n1,2\n"
    assert answer.headers["content-disposition"].startswith('attachment; filename="gr__e.csv"')
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_page_that_somebody_uploads_is_never_a_page(chat: Chat) -> None:
    async with chat.client("ann") as client:
        file = (await upload(client, "x.html", b"<script>alert(1)</script>")).json()["file"]
        headers = (await client.get(f"/files/{file['id']}")).headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment")
    assert headers["x-content-type-options"] == "nosniff"


async def test_only_readers_of_the_message_get_the_file(chat: Chat) -> None:
    async with chat.client("ann") as ann, chat.client("bo") as bo:
        private = (await upload(ann, "a.txt", b"a")).json()["file"]["id"]
        shared = (await upload(ann, "b.txt", b"b")).json()["file"]["id"]
        assert (await bo.get(f"/files/{private}")).status_code == 404, "not yet attached: its owner's alone"
        await attach(ann, "dm-ann", private)
        await attach(ann, "general", shared, 2)
        assert (await bo.get(f"/files/{private}")).status_code == 404
        assert (await bo.get(f"/files/{shared}")).content == b"b"
        assert (await bo.get("/files/..%2Fweb.key")).status_code == 404


async def test_nobody_attaches_what_is_not_theirs_or_is_attached_already(chat: Chat) -> None:
    async with chat.client("ann") as ann, chat.client("bo") as bo:
        file = (await upload(ann, "a.txt", b"a")).json()["file"]["id"]
        stolen = await attach(bo, "general", file)
        assert stolen.json()["message"]["files"] == []
        await attach(ann, "dm-ann", file, 2)
        again = await attach(ann, "general", file, 3)
    assert again.json()["message"]["files"] == []


async def test_what_is_too_large_is_refused_and_not_kept(chat: Chat) -> None:
    async with chat.client("ann") as client:
        answer = await upload(client, "big.bin", b"x" * (20 * 1024 * 1024 + 1))
    assert answer.status_code == 409
    assert "larger than 20 MB" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a.txt", "a.txt"),
        ("C:\\x\\b.txt", "b.txt"),
        ("..", "file"),
        ("", "file"),
        ("a\x00\nb", "ab"),
        ("x" * 300, "x" * 120),
    ],
)
def test_names_are_names_alone(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_name_cannot_break_out_of_the_header() -> None:
    assert (
        disposition('a"; x="b\\.txt')
        == "attachment; filename=\"a_; x=_b_.txt\"; filename*=UTF-8''a%22%3B%20x%3D%22b%5C.txt"
    )
