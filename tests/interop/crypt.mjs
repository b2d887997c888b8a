// Does with node:crypto what it is asked, once: a JSON request on standard input, a JSON
// answer on standard output. Bytes travel as base64.

import {
  constants, createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey,
  createPublicKey, privateDecrypt, publicEncrypt, sign, verify,
} from 'node:crypto';

const bytes = (text) => Buffer.from(text, 'base64');
const base64 = (buffer) => buffer.toString('base64');
const oaep = (key) => ({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' });
const TAG = 16;

const operations = {
  sign: ({ message, key }) => base64(sign('RSA-SHA256', bytes(message), createPrivateKey(key))),
  verify: ({ message, signature, key }) =>
    verify('RSA-SHA256', bytes(message), createPublicKey(key), bytes(signature)),
  encrypt_oaep: ({ plaintext, key }) =>
    base64(publicEncrypt(oaep(createPublicKey(key)), bytes(plaintext))),
  decrypt_oaep: ({ ciphertext, key }) =>
    base64(privateDecrypt(oaep(createPrivateKey(key)), bytes(ciphertext))),
  encrypt_gcm: ({ plaintext, key, nonce, aad }) => {
    const cipher = createCipheriv('aes-256-gcm', bytes(key), bytes(nonce));
    cipher.setAAD(bytes(aad));
    const sealed = Buffer.concat([cipher.update(bytes(plaintext)), cipher.final()]);
    return base64(Buffer.concat([sealed, cipher.getAuthTag()]));
  },
  decrypt_gcm: ({ ciphertext, key, nonce, aad }) => {
    const sealed = bytes(ciphertext);
    const cipher = createDecipheriv('aes-256-gcm', bytes(key), bytes(nonce));
    cipher.setAAD(bytes(aad));
    cipher.setAuthTag(sealed.subarray(sealed.length - TAG));
    const open = cipher.update(sealed.subarray(0, sealed.length - TAG));
    return base64(Buffer.concat([open, cipher.final()]));
  },
  encrypt_ecb: ({ plaintext, key }) => {
    const cipher = createCipheriv('aes-256-ecb', ecbKey(key), null);
    return base64(Buffer.concat([cipher.update(bytes(plaintext)), cipher.final()]));
  },
  decrypt_ecb: ({ ciphertext, key }) => {
    const cipher = createDecipheriv('aes-256-ecb', ecbKey(key), null);
    return base64(Buffer.concat([cipher.update(bytes(ciphertext)), cipher.final()]));
  },
  sign_fields: ({ fields, secret, kind }) => {
    const text = fieldsText(fields) + '&key=' + secret;
    const made = kind === 'MD5' ? createHash('md5') : createHmac('sha256', secret);
    return made.update(text, 'utf8').digest('hex').toUpperCase();
  },
  fields_message: ({ fields }) => fieldsText(fields),
  request_message: ({ method, url, timestamp, nonce, body }) => {
    const target = new URL(url);
    const lines = [method, target.pathname + target.search, timestamp, nonce, body];
    return base64(Buffer.from(lines.map((line) => line + '\n').join('')));
  },
  response_message: ({ timestamp, nonce, body }) =>
    base64(Buffer.from([timestamp, nonce, body].map((line) => line + '\n').join(''))),
};

function ecbKey(secret) {
  return createHash('md5').update(secret).digest('hex');
}

function fieldsText(fields) {
  const names = Object.keys(fields).filter((name) => name !== 'sign' && fields[name] !== '');
  return names.sort().map((name) => `${name}=${fields[name]}`).join('&');
}

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => { input += text; });
process.stdin.on('end', () => {
  const { operation, ...rest } = JSON.parse(input);
  console.log(JSON.stringify(operations[operation](rest)));
});
