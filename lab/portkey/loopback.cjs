// Loaded before the gateway: it has no option for the address that it listens at, and takes all of them.
const net = require("node:net");

const host = process.env.LISTEN_HOST ?? "";
if (!host.startsWith("127.")) throw new Error(`LISTEN_HOST is no loopback address: '${host}'`);

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...others) {
  if (!Number.isInteger(port)) throw new Error("expected listen(port, …)");
  return listen.call(this, { port, host }, ...others.filter((other) => typeof other === "function"));
};
