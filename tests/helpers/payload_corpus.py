"""Payloads as devices, gateways and services send them, and some that nobody should: each list is one topic's."""

from __future__ import annotations

import gzip
import json
from typing import Any

import cbor2
import msgspec

NOW = 1_700_000_000

_TEXTS: list[list[str]] = [
    ["21.5"], ["21,5"], ["1.2kW", "980W"], ["21.5 °C"], ["45%"], ["12,5 l/min"], ["1'234.5"], ["1.234,5"],
    ['"21.5"'], ["1e999"],
    ["0x1F"], ["DEADBEEF"], ["0T00:10:12"], ["3d 4h"], ["12:30"], ["2026-11-28"], ["P1DT2H"], ["<0.1"], ["5 of 7"],
    ["v1.2.3"],
    ["on", "off"], ["ON"], ["open", "closed", "open"], ["heating", "idle", "cooling"], ["heating"], ['"on"'],
    ["true"], ["garage"],
    ["unavailable"], ["nan"], ["null"], ['""'], [" "], ["\0"], ["hello world"], ["OK", "ALARM"], ["21.5\0"], ["-"],
    ["°"],
    ["T=21.5;H=48"], ["T=21.5C H=40%"], ["T=21,5;H=40"], ["temp: 21.5"], ["a=1-2"], ["id=5"], ["id=5;mac=12"],
    ["time=1700000000"],
    ["PASSKEY=AB&tempf=70.3&humidity=48&dateutc=2023-11-14+22%3A13%3A20"], ["1700000000:21.5"], ["21.5,48,1013.2"],
    ["1;2;3"],
    ["time;temp\n1700000000;21.5"], ["2023-11-14 22:13:10;21,5;48,0"], ["1700000000123 12.5"],
    ["$GPRMC,221310.00,A,5230.98,N*6C"],
    ["cpu,host=gw usage_idle=98.2 1700000000000000000"], ["m,a=b f=3.25i"], ['m,a=b f="on"'], ["m f=2i"],
    ["# made by x\nm f=1"],
    ["1-0:1.8.0*255(001234.567*kWh)"], ["0-0:96.1.1(4B384547)"], ["/ISK5\\2M550T-1012\r\n1-0:1.7.0(00.512*kW)\r\n!"],
    ["<?xml version='1.0'?><t>21.5</t>"], ["{a:1}"], ["{'a':1}"], ["{'a':'on'}"], ['{"a":1'], ['{"a":1}{"a":2}'],
    ["[]"], ["{}"],
]  # fmt: skip

_DOCUMENTS: list[list[Any]] = [
    [{"a": 1.5, "b": 2}], [{"state": "heating"}, {"state": "idle"}], [{"temp": 21.5, "door": "open"}],
    [{"a": True}], [{"a": "x y"}],
    [{"temp": "21,5"}], [{"temp": "21,5 kW"}], [{"temp": "21.5 °C", "mode": "heat"}], [{"id": 5}], [{"time": NOW}],
    [{"v": "5 of 7"}],
    [{"value": 21.5, "unit": "Cel", "ts": NOW}], [{"value": True, "dpt": "1.001"}], [{"value": {"a": 1}}],
    [{"value": [1, 2]}],
    [[1, 2, 3]], [[[1, 2], [3, 4]]], [[{"n": "a", "u": "W", "v": 1.5}]], [[{"n": "a", "vs": "on"}]],
    [[{"state": "on"}]],
    [[{"ts": NOW, "value": 1}, {"ts": NOW + 1, "value": 2}]], [[{"a": 1}, {"a": 2}]],
    [[{"name": "x", "v": 1}, {"name": "y", "v": 2}]],
    [[{"kind": "bar", "x": 3, "time": NOW}, {"kind": "bar", "x": 4, "time": NOW}]],
    [{"Time": "2023-11-14T22:13:10", "ENERGY": {"Power": [1, 2, 3], "Factor": 0.9}, "TempUnit": "C"}],
    [{"PAC": {"Unit": "W", "Value": 500}}],
    [{"meta": {"device": "d1"}, "params": {"rx_time": NOW, "decoded": {"temp": 21.5}}}],
    [{"topic": "DB1,REAL0", "payload": 21.5, "_msgid": "ab"}, {"topic": "DB1,REAL4", "payload": 3.5, "_msgid": "ac"}],
    [{"Type": "SCM", "Message": {"ID": 12345678, "Consumption": 123456}}],
    [{"payload": json.dumps({"value": "21.5 °C"})}],
    [{"io": {"ai": {"0": {"aiMode": 0, "aiValueScaled": 4.02}}, "di": [{"diIndex": 0, "diStatus": 1}]}}],
    [{"obs": [[NOW, 0.18, 144, 6, 1017.57]], "type": "obs_st"}],
    [{"data": "[230]", "name": "Voltage", "timestamp": NOW}],
    [{"device": each, "temp": 20.5 + place} for place, each in enumerate(("a", "b", "a", "b"))],
    [{"items": [{"id": 1, "t": NOW, "v": 1.5}, {"id": 2, "t": NOW, "v": 2.5}]}], [{"": 5, "a b": 1, "x/y": 2}],
]  # fmt: skip

_BINARY: list[list[bytes]] = [
    [msgspec.msgpack.encode({"a": 1.5})], [msgspec.msgpack.encode({"a": "on"})], [cbor2.dumps({"a": 1.5})],
    [cbor2.dumps({"a": "x"})],
    [cbor2.dumps([{0: "t", 2: 1.5}])], [gzip.compress(b'{"t":21.5}', mtime=0)], [b"\x80\x80"], [b"\xff\xd8\xff"],
    [bytes(range(32))],
    ['{"a": 1}'.encode("utf-16")], [b"21.5 \xb0C"], [b""],
]  # fmt: skip

TOPICS: list[list[bytes]] = [
    *([each.encode() for each in payloads] for payloads in _TEXTS),
    *([json.dumps(each).encode() for each in payloads] for payloads in _DOCUMENTS),
    *_BINARY,
]
"""The payloads of each topic, in the order in which they were sent."""
