from __future__ import annotations

import os
from pathlib import Path

import pytest
from configurations import INPUT, faults_of

from config.loading import LARGEST_BYTES, load
from config.problems import ConfigurationError, Problem


def write(folder: Path, content: bytes) -> Path:
    path = folder / "edgewarden.toml"
    path.write_bytes(content)
    return path


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "data").mkdir()
    text = f'{INPUT}[broker]\nusername = "me"\npassword_file = "secret"\n[store]\npath = "data/our.db"\n'
    configuration = load(write(tmp_path, text.encode()))
    assert configuration.broker.password_file == tmp_path / "secret"
    assert configuration.store.path == tmp_path / "data" / "our.db"
    assert load(write(tmp_path, INPUT.encode())).store.path == tmp_path / "edgewarden.db"


def test_missing_files_are_errors(tmp_path: Path) -> None:
    text = f"""{INPUT}[broker]
username = "me"
password_file = "secret"
[broker.tls]
ca_file = "ca.pem"
[store]
path = "nowhere/our.db"
"""
    faults = faults_of(text, tmp_path)
    assert [(each.line, each.key) for each in faults] == [
        (5, "broker.password_file"),
        (7, "broker.tls.ca_file"),
        (9, "store.path"),
    ]
    assert "there is no file" in faults[0].message
    assert "there is no folder" in faults[2].message


def test_a_store_path_that_is_a_folder_is_an_error(tmp_path: Path) -> None:
    (fault,) = faults_of(f'{INPUT}[store]\npath = "."\n', tmp_path)
    assert "is a folder" in fault.message


def fault_of_file(path: Path) -> Problem:
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    (fault,) = caught.value.problems
    return fault


def test_a_missing_file_explains_how_to_create_one(tmp_path: Path) -> None:
    assert "edgewarden init" in fault_of_file(tmp_path / "edgewarden.toml").message


def test_folders_and_pipes_are_not_files(tmp_path: Path) -> None:
    assert fault_of_file(tmp_path).message == "is not a file"
    os.mkfifo(tmp_path / "pipe")
    assert fault_of_file(tmp_path / "pipe").message == "is not a file"


def test_an_unreadable_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, INPUT.encode())
    monkeypatch.setattr(Path, "open", refuse)
    assert fault_of_file(path).message == "can't be read: Permission denied"


def test_text_that_is_not_utf8_is_reported_with_its_line(tmp_path: Path) -> None:
    fault = fault_of_file(write(tmp_path, b"a = 1\nb = '\xff'\n"))
    assert fault.line == 2
    assert "UTF-8" in fault.message


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    assert load(write(tmp_path, b"\xef\xbb\xbf" + INPUT.encode())).inputs[0].topic == "plant/+/+"


def test_a_file_larger_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    content = INPUT.encode() + b"#" * LARGEST_BYTES
    assert fault_of_file(write(tmp_path, content)).message == "is larger than 1 MiB"
    assert load(write(tmp_path, content[:LARGEST_BYTES]))
