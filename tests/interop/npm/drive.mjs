// Drives wechatpay-axios-plugin, and nothing else. Each line on standard input names one
// act and what it takes; each is answered by one line on standard output. It ends when
// standard input ends.

import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import plugin from 'wechatpay-axios-plugin';

const { Aes: { AesGcm }, Formatter, Hash, Multipart, Rsa, Wechatpay } = plugin;

let client;

/** The node of a chain: `v3.pay.transactions.native`. */
function node(chain) {
  return chain.split('.').reduce((found, name) => found[name], client);
}

/** Status and data of an answer that they verified, or of a refusal. */
async function outcome(answer) {
  try {
    const { status, data } = await answer;
    return { status, data };
  } catch (error) {
    if (!error.response) throw error;
    return { status: error.response.status, data: error.response.data, refused: error.code };
  }
}

const acts = {
  /** Make the client, with keys from files. */
  connect({ privateKey, certs, ...rest }) {
    const keys = Object.entries(certs).map(([id, file]) => [id, readFileSync(file)]);
    client = new Wechatpay({
      ...rest, privateKey: readFileSync(privateKey), certs: Object.fromEntries(keys),
    });
    return null;
  },
  /** One call: a verb, and what it is given. */
  call: ({ chain, verb, given }) => outcome(node(chain)[verb](...given)),
  /** Send a file, whose `meta` is what gets signed. */
  upload({ chain, file }) {
    const content = readFileSync(file);
    const meta = { filename: basename(file), sha256: Hash.sha256(content) };
    const form = new Multipart();
    form.append('meta', JSON.stringify(meta)).append('file', content, meta.filename);
    const options = { meta, headers: form.getHeaders() };
    return outcome(node(chain).post(form.getBuffer(), options));
  },
  /** The file behind the link of a bill: its hash, rows and summary. */
  async bill({ link }) {
    const params = Object.fromEntries(new URL(link).searchParams);
    const { data } = await client.v3.billdownload.file.get({
      params, responseType: 'arraybuffer',
    });
    return { sha1: Hash.sha1(data), ...Formatter.castCsvBill(data) };
  },
  /** What is in a notification; null if the signature does not hold. */
  notice({ headers, body, key, apiv3 }) {
    const name = (suffix) => headers[`wechatpay-${suffix}`];
    const message = Formatter.response(name('timestamp'), name('nonce'), body);
    const isTheirs = Rsa.verify(message, name('signature'), readFileSync(key));
    if (!isTheirs) return null;
    const { ciphertext, nonce, associated_data: associated } = JSON.parse(body).resource;
    return JSON.parse(AesGcm.decrypt(ciphertext, apiv3, nonce, associated));
  },
  /** Encrypt a sensitive field for the holder of a key. */
  seal: ({ text, key }) => Rsa.encrypt(text, readFileSync(key)),
  /** Decrypt one. */
  open: ({ text, key }) => Rsa.decrypt(text, readFileSync(key)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...given } = JSON.parse(line);
  console.log(JSON.stringify(await acts[act](given)));
}
