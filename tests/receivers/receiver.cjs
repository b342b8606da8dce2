// Says on standard output of each call whether the official library finds it good.

const { createServer } = require("node:http");
const { createInterface } = require("node:readline");
const { Webhook } = require("standardwebhooks");

let webhook;

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    try {
      const event = webhook.verify(Buffer.concat(parts), request.headers);
      console.log("good", event.id, event.type);
      response.writeHead(204).end();
    } catch (error) {
      console.log("bad", error.name);
      response.writeHead(400).end();
    }
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
createInterface({ input: process.stdin }).once("line", (secret) => {
  webhook = new Webhook(secret);
});
