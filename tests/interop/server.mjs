// A gateway in Node.js that shares no code with the package: it verifies the bytes that
// came and signs the bytes that go. The first line on standard input is the
// configuration; the first line on standard output is the port; it ends when standard
// input ends. Only modules of Node itself.

import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';

const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
const WINDOW_SECONDS = 300;
const NAMES = ['mchid', 'nonce_str', 'serial_no', 'signature', 'timestamp'];
const CANCEL = /^\/v3\/payscore\/(partner\/)?serviceorder\/([^/?]+)\/cancel$/;

const seen = [];

function privateKey(base64) {
  return createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' });
}

/** The parameters of an Authorization header by name, or what is wrong with it. */
function parseAuthorization(value) {
  if (!value) return 'Authorization is missing';
  const [scheme, ...rest] = value.split(' ');
  if (scheme !== SCHEME) return 'unknown scheme';
  const found = {};
  for (const item of rest.join(' ').split(',')) {
    const match = /^([a-z_]+)="([^"]*)"$/.exec(item);
    if (!match || match[1] in found) return 'a parameter cannot be read';
    found[match[1]] = match[2];
  }
  const names = Object.keys(found).sort();
  return names.join() === NAMES.join() ? found : 'the five parameters are not all there';
}

/** The message that a client should have signed, rebuilt from what was received. */
function requestMessage(request, parameters, body) {
  const { timestamp, nonce_str: nonce } = parameters;
  const head = `${request.method}\n${request.url}\n${timestamp}\n${nonce}\n`;
  return Buffer.concat([Buffer.from(head), body, Buffer.from('\n')]);
}

/** What speaks against the request; null if nothing does. */
function refusal(request, body, config) {
  const parameters = parseAuthorization(request.headers.authorization);
  if (typeof parameters === 'string') {
    return { issue: parameters, message: Buffer.alloc(0) };
  }
  const message = requestMessage(request, parameters, body);
  const age = Math.abs(Date.now() / 1000 - Number(parameters.timestamp));
  if (!/^[0-9]{10}$/.test(parameters.timestamp) || age > WINDOW_SECONDS) {
    return { issue: 'timestamp expired', message };
  }
  if (!/^[0-9A-Za-z]{1,32}$/.test(parameters.nonce_str)) {
    return { issue: 'nonce_str is malformed', message };
  }
  if (parameters.mchid !== config.mchid || parameters.serial_no !== config.serial) {
    return { issue: 'merchant or serial is unknown', message };
  }
  const signature = Buffer.from(parameters.signature, 'base64');
  const isOurs = verify('sha256', message, config.merchantKey, signature);
  return isOurs ? null : { issue: 'sign not match', message };
}

/** The 401 as it is documented, with what the server made of the request. */
function signError(request, { issue, message }) {
  const truncated = message.toString().split('\n').slice(0, 3).join('\n') + '\n';
  return {
    code: 'SIGN_ERROR',
    message: '错误的签名，验签失败',
    detail: {
      field: 'signature',
      location: 'authorization',
      detail: { issue },
      sign_information: {
        method: request.method,
        url: request.url,
        truncated_sign_message: truncated,
        sign_message_length: message.length,
      },
    },
  };
}

function answer(response, status, value, config, tamper) {
  const body = value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
  const headers = { 'Request-ID': randomBytes(16).toString('hex') };
  if (body.length) headers['Content-Type'] = 'application/json; charset=utf-8';
  if (status !== 204) headers['Content-Length'] = body.length;
  if (status !== 401) {
    const timestamp = Math.floor(Date.now() / 1000).toString();
    const nonce = randomBytes(16).toString('hex');
    const text = Buffer.concat([
      Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from(tamper ? ' \n' : '\n'),
    ]);
    headers['Wechatpay-Timestamp'] = timestamp;
    headers['Wechatpay-Nonce'] = nonce;
    headers['Wechatpay-Serial'] = config.wechatId;
    headers['Wechatpay-Signature-Type'] = SCHEME;
    headers['Wechatpay-Signature'] = sign('sha256', text, config.wechatKey).toString('base64');
  }
  response.writeHead(status, headers);
  response.end(body);
}

function cancel(request, response, body, config) {
  const tamper = request.headers['x-tamper'] !== undefined;
  const match = CANCEL.exec(request.url);
  if (request.method !== 'POST' || !match) {
    const problem = { code: 'RESOURCE_NOT_EXISTS', message: 'no such route' };
    return answer(response, 404, problem, config);
  }
  const fields = JSON.parse(body);
  const wanted = match[1] ? ['service_id', 'sub_mchid', 'reason'] : ['appid', 'service_id', 'reason'];
  const missing = wanted.filter((name) => typeof fields[name] !== 'string');
  if (missing.length) {
    const problem = { code: 'PARAM_ERROR', message: `missing ${missing.join()}` };
    return answer(response, 400, problem, config);
  }
  if (match[1]) return answer(response, 204, undefined, config, tamper);
  return answer(response, 200, {
    appid: fields.appid,
    mchid: config.mchid,
    out_order_no: decodeURIComponent(match[2]),
    service_id: fields.service_id,
    order_id: '15646546545165651651',
  }, config, tamper);
}

function handle(request, response, config) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    if (request.url === '/_seen') {
      const text = JSON.stringify(seen);
      response.writeHead(200, { 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
      return;
    }
    seen.push({
      method: request.method,
      target: request.url,
      body: body.toString('base64'),
      headers: request.headers,
    });
    const problem = refusal(request, body, config);
    if (problem) answer(response, 401, signError(request, problem), config);
    else cancel(request, response, body, config);
  });
}

function start(line) {
  const given = JSON.parse(line);
  const config = {
    mchid: given.mchid,
    serial: given.serial,
    wechatId: given.wechat_id,
    merchantKey: createPublicKey(given.merchant_public_key),
    wechatKey: privateKey(given.wechat_private_key),
  };
  const listener = (request, response) => handle(request, response, config);
  const server = given.tls ? createSecure(given.tls, listener) : createPlain(listener);
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

let pending = '';
let started = false;
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  pending += text;
  if (!started && pending.includes('\n')) {
    started = true;
    start(pending);
  }
});
process.stdin.on('end', () => process.exit(0));
