// A webhook that refuses everything, as the README of Powerstrip 2015 allows: with an error code.

const { serve } = require('./readme.js');

serve((call, response) => {
  response.writeHead(403, { 'Content-Type': 'text/plain' });
  response.end('not on a Sunday');
});
