// An edge node of npm's sparkplug-client, controlled by lines on standard input: node.js PORT GROUP NAME
const [port, groupId, edgeNode] = process.argv.slice(2);
const client = require("sparkplug-client").newClient({
  serverUrl: `mqtt://127.0.0.1:${port}`, username: "", password: "", groupId, edgeNode, clientId: edgeNode, version: "spBv1.0",
});
const flow = (value, more) => ({ name: "flow", alias: 5, type: "Double", value, timestamp: Date.now(), ...more });

client.on("birth", () => {
  client.publishNodeBirth({ timestamp: Date.now(), metrics: [{ name: "Node Control/Rebirth", type: "Boolean", value: false }] });
  const metrics = [flow(20), { name: "level", alias: 6, type: "Int16", value: -7, properties: { engUnit: { type: "String", value: "mm" } } }];
  client.publishDeviceBirth("pump", { timestamp: Date.now(), metrics });
  console.log("born");
});
client.on("ncmd", (payload) => {
  if (payload.metrics.some((each) => each.name === "Node Control/Rebirth" && each.value)) client.emit("birth");
});
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [word, value] = line.split(" ");
  const payload = { timestamp: Date.now(), metrics: [flow(Number(value))] };
  client.publishDeviceData("pump", payload, { compress: word === "compressed", algorithm: "GZIP" });
});
