// Another WeChat Pay and another front end, in Node.js, that share no code with the
// package: makes notifications of both generations, reads answers and invocations. One
// JSON request on standard input, one JSON answer on standard output; bytes are base64.

import {
  createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey,
  createPublicKey, sign, verify,
} from 'node:crypto';

const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
const base64 = (text) => Buffer.from(text).toString('base64');

function privateKey(text) {
  return createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
}

function fieldsSign(fields, kind, secret) {
  const names = Object.keys(fields).filter((name) => name !== 'sign' && fields[name] !== '');
  const text = [...names.sort().map((name) => `${name}=${fields[name]}`), `key=${secret}`].join('&');
  const made = kind === 'MD5' ? createHash('md5') : createHmac('sha256', secret);
  return made.update(text, 'utf8').digest('hex').toUpperCase();
}

function toXml(fields, root = 'xml') {
  const inner = Object.entries(fields).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`);
  return `<${root}>${inner.join('')}</${root}>`;
}

function fromXml(text) {
  const found = {};
  for (const [, name, value] of text.matchAll(/<(\w+)><!\[CDATA\[(.*?)\]\]><\/\1>/gs)) {
    found[name] = value;
  }
  return found;
}

function ecbKey(secret) {
  return createHash('md5').update(secret).digest('hex');
}

const operations = {
  /** A notification of APIv3: headers, and the body as it is signed. */
  notification_v3: ({ envelope, plaintext, nonce, associated, apiv3_key, key, serial, timestamp }) => {
    const cipher = createCipheriv('aes-256-gcm', apiv3_key, nonce);
    cipher.setAAD(Buffer.from(associated));
    const sealed = [cipher.update(JSON.stringify(plaintext), 'utf8'), cipher.final()];
    const ciphertext = Buffer.concat([...sealed, cipher.getAuthTag()]).toString('base64');
    const resource = {
      original_type: 'payscore', algorithm: 'AEAD_AES_256_GCM', ciphertext,
      associated_data: associated, nonce,
    };
    const body = JSON.stringify({ ...envelope, resource });
    const message = `${timestamp}\n${nonce}n\n${body}\n`;
    return {
      headers: {
        'Wechatpay-Timestamp': timestamp,
        'Wechatpay-Nonce': `${nonce}n`,
        'Wechatpay-Serial': serial,
        'Wechatpay-Signature': sign('RSA-SHA256', Buffer.from(message), privateKey(key)).toString('base64'),
        'Wechatpay-Signature-Type': SCHEME,
      },
      body: base64(body),
    };
  },
  /** A payment of APIv2, signed. */
  notification_v2: ({ fields, kind, secret }) =>
    base64(toXml({ ...fields, sign: fieldsSign(fields, kind, secret) })),
  /** A refund of APIv2, sealed. */
  refund_v2: ({ fields, outer, secret }) => {
    const cipher = createCipheriv('aes-256-ecb', ecbKey(secret), null);
    const sealed = [cipher.update(toXml(fields, 'root'), 'utf8'), cipher.final()];
    return base64(toXml({ ...outer, req_info: Buffer.concat(sealed).toString('base64') }));
  },
  /** What is in a message of APIv2, if its sign holds; else null. */
  read_v2: ({ body, kind, secret }) => {
    const fields = fromXml(Buffer.from(body, 'base64').toString());
    return fields.sign === fieldsSign(fields, kind, secret) ? fields : null;
  },
  /** The fields of an answer, which is not signed. */
  read_answer: ({ body }) => fromXml(Buffer.from(body, 'base64').toString()),
  /** What a sealed refund holds. */
  open_refund: ({ req_info, secret }) => {
    const decipher = createDecipheriv('aes-256-ecb', ecbKey(secret), null);
    return fromXml(Buffer.concat([decipher.update(req_info, 'base64'), decipher.final()]).toString());
  },
  /** Whether a front end's parameters were signed by the merchant. */
  holds_lines: ({ lines, signature, key }) => {
    const message = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    return verify('RSA-SHA256', message, createPublicKey(key), Buffer.from(signature, 'base64'));
  },
  /** Whether the query string of openBusinessView is signed, once it is decoded. */
  holds_query: ({ query, secret }) => {
    const fields = Object.fromEntries(
      query.split('&').map((pair) => pair.split('=').map(decodeURIComponent)),
    );
    return { fields, holds: fields.sign === fieldsSign(fields, fields.sign_type, secret) };
  },
};

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => { input += text; });
process.stdin.on('end', () => {
  const { operation, ...rest } = JSON.parse(input);
  console.log(JSON.stringify(operations[operation](rest)));
});
