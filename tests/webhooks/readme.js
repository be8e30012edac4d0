// A webhook as the README of Powerstrip 2015 describes one: it changes nothing.
//
// Usage: node readme.js ADDRESS PORT

const http = require('http');

function reply(call) {
  if (call.Type === 'pre-hook') {
    const { Method, Request, Body } = call.ClientRequest;
    return { PowerstripProtocolVersion: 1, ModifiedClientRequest: { Method, Request, Body } };
  }
  const { ContentType, Body, Code } = call.ServerResponse;
  return { PowerstripProtocolVersion: 1, ModifiedServerResponse: { ContentType, Body, Code } };
}

exports.serve = (answer) => {
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      const call = JSON.parse(body);
      console.log('called', request.url, call.Type);
      answer(call, response);
    });
  });
  server.on('connection', () => console.log('connected'));
  server.listen(Number(process.argv[3]), process.argv[2], () => {
    console.log('listening on', server.address().port);
  });
};

if (require.main === module) {
  exports.serve((call, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(reply(call)));
  });
}
