// Drives the published JavaScript client, the published command line and an integration written with the published SDK
// against a running server. None is changed: they are pointed here by their own options. Exits with 1 on any difference.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

const require = createRequire(import.meta.url)
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname)
const { TIELINE_URL: apiUrl, TIELINE_TOKEN: token, TIELINE_WORKSPACE: workspaceId, TIELINE_OTHER_TOKEN: otherToken } = process.env
assert.ok(apiUrl && token && workspaceId && otherToken, 'TIELINE_URL, _TOKEN, _WORKSPACE and _OTHER_TOKEN have to be set')

const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>'
const base64 = (text) => Buffer.from(text).toString('base64')

/** Error of a rejected promise. */
const refusal = async (promise) => {
  try {
    await promise
  } catch (error) {
    return error
  }
  return assert.fail('it should have been refused')
}

const theClient = async () => {
  const { Client, isApiError } = require('@botpress/client')
  const client = new Client({ apiUrl, token, workspaceId })
  const body = {
    name: 'acme/teams',
    version: '1.0.0',
    title: 'Teams',
    description: 'Talks',
    code: 'module.exports = {}',
    icon: base64(svg),
    readme: base64('# Teams'),
    secrets: { API_KEY: 'hunter2' },
    actions: { sendMessage: { input: { schema: {} }, output: { schema: {} } } },
  }
  assert.deepEqual(await client.validateIntegrationCreation(body), {})
  const { integration } = await client.createIntegration(body)
  assert.match(integration.id, /^intver_[0-9A-Z]{26}$/)
  assert.equal((await client.getIntegration({ id: integration.id })).integration.name, 'acme/teams')
  for (const version of ['1.0.0', 'latest', '^1.0.0', '>=0.2.0 <1.1.0-0', '*']) {
    assert.equal((await client.getIntegrationByName({ name: 'acme/teams', version })).integration.id, integration.id, version)
  }
  assert.deepEqual(await client.validateIntegrationUpdate({ id: integration.id, title: 'More' }), {})
  assert.equal((await client.updateIntegration({ id: integration.id, title: 'More' })).integration.title, 'More')
  assert.equal((await client.updateIntegration({ id: integration.id })).integration.title, 'More')

  for (const [error, type, code] of [
    [await refusal(client.createIntegration(body)), 'AlreadyExists', 409],
    [await refusal(client.createIntegration({ ...body, version: '1.0.0.0' })), 'InvalidPayload', 400],
    [await refusal(client.createIntegration({ ...body, name: 'globex/teams' })), 'Forbidden', 403],
    [await refusal(client.createIntegration({ ...body, version: '1.1.0', actions: { Send: body.actions.sendMessage } })), 'InvalidIdentifier', 400],
    [await refusal(client.getIntegration({ id: 'intver_01JVYWESY3BVAM5FR3XT9X813H' })), 'ResourceNotFound', 404],
    [await refusal(client.listIntegrations({ nextToken: 'nonsense' })), 'InvalidQuery', 400],
    [await refusal(new Client({ apiUrl, token: 'wrong', workspaceId }).listIntegrations({})), 'Unauthorized', 401],
    [await refusal(new Client({ apiUrl, token, workspaceId: 'globex' }).listIntegrations({})), 'Unauthorized', 401],
  ]) {
    assert.ok(isApiError(error), String(error))
    assert.deepEqual([error.type, error.code], [type, code], error.message)
    assert.match(error.id, /^err_\d{14}x[0-9A-F]{8}$/)
  }
  const wrong = await refusal(client.validateIntegrationCreation({ ...body, title: 'x'.repeat(65), version: 'one' }))
  assert.deepEqual(wrong.metadata.issues.map((issue) => issue.path), ['/version', '/title'])

  for (let minor = 1; minor <= 30; minor++) {
    await client.createIntegration({ name: 'many', version: `1.${minor}.0` })
  }
  assert.equal((await client.list.integrations({ name: 'many' }).collect({})).length, 30)
  assert.equal((await client.listIntegrations({ name: 'many', limit: 5 })).integrations.length, 5)
  const found = await client.listIntegrations({ search: 'message', sortBy: 'name', direction: 'asc', dev: false })
  assert.deepEqual(found.integrations[0].matchedOn.actions, ['sendMessage'])

  await client.updateIntegration({ id: integration.id, visibility: 'public' })
  assert.equal((await refusal(client.updateIntegration({ id: integration.id, title: 'Other' }))).type, 'Forbidden')
  const other = new Client({ apiUrl, token: otherToken })
  const listed = await other.listPublicIntegrations({ name: 'acme/teams' })
  assert.equal(listed.integrations[0].ownerWorkspace.handle, 'acme')
  assert.equal((await other.getPublicIntegrationById({ id: integration.id })).integration.meta.installs, 0)
  assert.equal((await other.getPublicIntegration({ name: 'acme/teams', version: 'latest' })).integration.name, 'acme/teams')
  for (const url of [integration.iconUrl, integration.readmeUrl]) {
    assert.equal((await fetch(apiUrl + new URL(url).pathname)).status, 200)
  }

  assert.deepEqual(await client.requestIntegrationVerification({ integrationId: integration.id }), {})
  const key = await client.createIntegrationApiKey({ integrationId: integration.id, note: 'build' })
  assert.ok(key.value)
  assert.equal((await client.listIntegrationApiKeys({ integrationId: integration.id })).iaks[0].id, key.id)
  assert.deepEqual(await client.deleteIntegrationApiKey({ id: key.id }), {})
  const logs = await client.getIntegrationLogs({ id: integration.id, timeStart: '2026-11-20T20:02:04.567Z' })
  assert.deepEqual(logs.logs, [])
  assert.deepEqual(await client.deleteIntegration({ id: integration.id }), {})
  assert.equal((await refusal(client.deleteIntegration({ id: integration.id }))).type, 'ResourceNotFound')
  console.log('the client: done')
}

/** Interfaces: created, read, implemented by an integration, and kept while they are. */
const theInterfaces = async () => {
  const { Client } = require('@botpress/client')
  const client = new Client({ apiUrl, token, workspaceId })
  const other = new Client({ apiUrl, token: otherToken })
  const item = { type: 'object', properties: { item: { $ref: 'item' } }, required: ['item'], additionalProperties: false }
  const entity = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'], additionalProperties: false }
  const body = {
    name: 'creatable',
    version: '1.0.0',
    icon: base64(svg),
    entities: { item: { schema: entity } },
    actions: { create: { input: { schema: item }, output: { schema: item } } },
    events: { created: { schema: item } },
  }
  const { interface: made } = await client.createInterface(body)
  assert.match(made.id, /^ifver_[0-9A-Z]{26}$/)
  assert.deepEqual(made.actions, body.actions)
  assert.deepEqual((await client.getInterface({ id: made.id })).interface, made)
  assert.deepEqual((await client.getInterfaceByName({ name: 'creatable', version: '^1.0.0' })).interface, made)
  assert.equal((await client.updateInterface({ id: made.id, title: 'Creatable' })).interface.title, 'Creatable')
  assert.equal((await client.list.interfaces({}).collect({}))[0].id, made.id)
  assert.equal((await refusal(other.getPublicInterfaceById({ id: made.id }))).type, 'ResourceNotFound')
  await client.updateInterface({ id: made.id, public: true })
  assert.equal((await other.getPublicInterfaceById({ id: made.id })).interface.public, true)
  assert.equal((await other.getPublicInterface({ name: 'creatable', version: 'latest' })).interface.id, made.id)
  assert.equal((await other.listPublicInterfaces({ name: 'creatable' })).interfaces.length, 1)

  const own = { ...item, properties: { item: entity } }
  const implementing = {
    name: 'acme/linear',
    version: '1.0.0',
    entities: { issue: { schema: entity } },
    actions: { createIssue: { input: { schema: own }, output: { schema: own } } },
    events: { created: { schema: own } },
    interfaces: {
      'creatable<issue>': {
        id: made.id,
        entities: { item: { name: 'issue' } },
        actions: { create: { name: 'createIssue' } },
        events: { created: { name: 'created' } },
      },
    },
  }
  const wrong = await refusal(client.createIntegration({ ...implementing, actions: {} }))
  assert.equal(wrong.type, 'ReferenceNotFound')
  const { integration } = await client.createIntegration(implementing)
  const read = (await client.getIntegration({ id: integration.id })).integration.interfaces['creatable<issue>']
  assert.deepEqual([read.id, read.name, read.version], [made.id, 'creatable', '1.0.0'])
  assert.equal((await client.listIntegrations({ interfaceId: made.id })).integrations.length, 1)
  assert.equal((await refusal(client.deleteInterface({ id: made.id }))).type, 'ReferenceConstraint')
  await client.deleteIntegration({ id: integration.id })
  assert.deepEqual(await client.deleteInterface({ id: made.id }), {})

  assert.match((await client.getAccount({})).account.id, /./)
  assert.deepEqual((await client.listPlugins({})).plugins, [])
  assert.deepEqual((await client.listPublicPlugins({})).plugins, [])
  console.log('the interfaces: done')
}

/** Request of the native dialect; fails unless it has this status. */
const native = async (method, path, body, status) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const answer = await fetch(apiUrl + path, { method, headers, body: body && JSON.stringify(body) })
  const text = await answer.text()
  assert.equal(answer.status, status, `${method} ${path}: ${text}`)
  return text ? JSON.parse(text) : undefined
}

/** A port that nobody listens on. */
const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** Serves the integration in a process of its own. */
const served = async (port, key) => {
  const env = { PATH: process.env.PATH, BP_API_URL: apiUrl, BP_TOKEN: key }
  const child = spawn(process.execPath, [path.join(here, 'integration.mjs'), String(port)], { env })
  child.stderr.pipe(process.stderr)
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => String(data).includes('Listening') && resolve())
    child.on('close', () => reject(new Error('the integration is not served')))
  })
  return child
}

/** An installed integration: its actions are called, and its code sends events. */
const theIntegration = async () => {
  const { Client } = require('@botpress/client')
  const client = new Client({ apiUrl, token, workspaceId })
  const port = await freePort()
  const texts = (...names) => ({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: names,
  })
  const action = (input, output) => ({ input: { schema: input }, output: { schema: output } })
  const { integration } = await client.createIntegration({
    name: 'acme/greeter',
    version: '1.0.0',
    url: `http://127.0.0.1:${port}`,
    configuration: { schema: texts('room') },
    actions: {
      sayHello: action(texts('text'), texts('greeting', 'eventId')),
      sayNothing: action({}, texts('greeting')),
      fail: action({}, {}),
    },
    events: { greeted: { schema: texts('text') } },
  })
  const key = await client.createIntegrationApiKey({ integrationId: integration.id })
  const app = await native('POST', '/v1/apps', { registryVersion: { name: 'acme/greeter' } }, 201)
  await native('PUT', `/v1/apps/${app.id}/settings`, { settings: { room: '#support' } }, 200)
  const call = (name, input, status) => native('POST', `/v1/apps/${app.id}/actions/${name}`, { input }, status)
  const child = await served(port, key.value)
  try {
    const { output } = await call('sayHello', { text: 'Ada' }, 200)
    assert.equal(output.greeting, 'Hello, Ada, in #support')
    assert.match(output.eventId, /^evt_[0-9A-Z]{26}$/)
    const events = await native('GET', '/v1/events?type=app.acme.greeter.*', undefined, 200)
    assert.deepEqual([events.data[0].source, events.data[0].data], ['app', { text: 'Ada' }])
    assert.match((await call('fail', {}, 502)).detail, /nobody is there/)
    assert.match((await call('sayNothing', {}, 502)).detail, /\/output\/greeting is required/)
    assert.match((await call('shout', {}, 404)).detail, /sayHello/)
    assert.equal((await call('sayHello', {}, 400)).errors[0].pointer, '/input/text')
  } finally {
    child.removeAllListeners('close')
    child.kill()
  }
  const logs = await client.getIntegrationLogs({ id: integration.id, timeStart: '2026-11-18T00:00:00Z' })
  assert.deepEqual(logs.logs.map((line) => line.level), ['info', 'error', 'error'])

  const code = new Client({ apiUrl, token: key.value, integrationId: integration.id })
  const { event } = await code.createEvent({ type: 'greeted', payload: { text: 'Bob' }, userId: 'user_1' })
  assert.deepEqual([event.type, event.payload, event.userId, event.status], ['greeted', { text: 'Bob' }, 'user_1', 'pending'])
  assert.equal((await refusal(code.createEvent({ type: 'left', payload: {} }))).type, 'ReferenceNotFound')
  assert.equal((await refusal(code.createEvent({ type: 'greeted', payload: {} }))).type, 'InvalidDataFormat')
  assert.equal((await refusal(client.createEvent({ type: 'greeted', payload: {} }))).type, 'Unauthorized')
  assert.equal((await refusal(code.listIntegrations({}))).type, 'Unauthorized')
  await client.deleteIntegrationApiKey({ id: key.id })
  assert.equal((await refusal(code.createEvent({ type: 'greeted', payload: { text: 'Bob' } }))).type, 'Unauthorized')
  await native('DELETE', `/v1/apps/${app.id}`, undefined, 204)
  await client.deleteIntegration({ id: integration.id })
  console.log('the integration: done')
}

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'tieline-bp-'))
const binary = path.join(here, 'node_modules', '.bin', 'bp')

/** Runs the command line. It asks npm for its newest version at each start, and must not get that far. */
const bp = (...args) =>
  new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: home, CI: 'true', npm_config_registry: 'http://127.0.0.1:9' }
    const child = spawn(binary, [...args, '--botpressHome', home], { env, cwd: home })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    child.on('close', (code) => resolve({ code, output }))
  })

const succeeds = async (...args) => {
  const { code, output } = await bp(...args)
  assert.equal(code, 0, `bp ${args.join(' ')}\n${output}`)
  return output
}

/** A project as the command line creates one, with a name of its own. */
const project = () => {
  const folder = path.join(home, 'project')
  fs.mkdirSync(path.join(folder, 'src'), { recursive: true })
  fs.symlinkSync(path.join(here, 'node_modules'), path.join(folder, 'node_modules'))
  const write = (name, text) => fs.writeFileSync(path.join(folder, name), text)
  write('package.json', JSON.stringify({ name: 'deployed', private: true, dependencies: {} }))
  write('icon.svg', svg)
  write('hub.md', '# Deployed')
  const define = (version, title, extension = '') =>
    write(
      'integration.definition.ts',
      `import { IntegrationDefinition, interfaces, z } from '@botpress/sdk'
       export default new IntegrationDefinition({
         name: 'acme/deployed', version: '${version}', title: '${title}', readme: 'hub.md', icon: 'icon.svg',
         secrets: { API_KEY: { description: 'a key' } },
         configuration: { schema: z.object({ tenant: z.string() }) },
         actions: { sayHello: { input: { schema: z.object({ text: z.string() }) }, output: { schema: z.object({}) } } },
         entities: { issue: { schema: z.object({ id: z.string(), title: z.string() }) } },
       })${extension}`
    )
  write(
    path.join('src', 'index.ts'),
    `import * as bp from '../.botpress'
     export default new bp.Integration({
       register: async () => {}, unregister: async () => {}, handler: async () => {}, channels: {},
       actions: { sayHello: async () => ({}) },
     })`
  )
  return { folder, define }
}

const theCommandLine = async () => {
  const failed = await bp('login', '--apiUrl', apiUrl, '--workspaceId', workspaceId, '--token', 'wrong')
  assert.notEqual(failed.code, 0, failed.output)
  await succeeds('login', '--apiUrl', apiUrl, '--workspaceId', workspaceId, '--token', token)
  assert.match(await succeeds('integrations', 'ls'), /many/)
  assert.match(await succeeds('integrations', 'get', 'many@1.3.0'), /intver_/)
  assert.match(await succeeds('integrations', 'get', 'many'), /1\.30\.0/)
  assert.notEqual((await bp('integrations', 'get', 'nothing')).code, 0)

  const { folder, define } = project()
  const deploy = (...args) => succeeds('deploy', '-y', '--workDir', folder, '--secrets', 'API_KEY=hunter2', ...args)
  const { Client } = require('@botpress/client')
  const client = new Client({ apiUrl, token, workspaceId })
  const deployed = async (version) => (await client.getIntegrationByName({ name: 'acme/deployed', version })).integration

  define('1.0.0', 'First')
  await deploy()
  const first = await deployed('1.0.0')
  assert.deepEqual([first.title, first.secrets, first.visibility], ['First', ['API_KEY'], 'private'])
  assert.deepEqual(Object.keys(first.actions), ['sayHello'])
  define('1.0.0', 'Changed')
  await deploy()
  assert.equal((await deployed('1.0.0')).title, 'Changed')
  assert.equal((await deployed('1.0.0')).id, first.id)

  // The command line deploys interfaces from the product's own workspace alone, with this body; it reads, lists and
  // deletes them, and deploys integrations that extend them, from any.
  const { prepareCreateInterfaceBody } = require('@botpress/cli/dist/api/interface-body.js')
  const { creatable } = require('@botpress/sdk').interfaces
  const { interface: made } = await client.createInterface(prepareCreateInterfaceBody(creatable))
  assert.match(await succeeds('interfaces', 'ls'), /creatable/)
  assert.match(await succeeds('interfaces', 'get', `creatable@${creatable.version}`), /ifver_/)
  define('1.0.1', 'Extends', '.extend(interfaces.creatable, ({ issue }) => ({ item: issue }))')
  await deploy()
  const extended = await deployed('1.0.1')
  assert.deepEqual(extended.interfaces['creatable<issue>'], {
    id: made.id,
    name: 'creatable',
    version: creatable.version,
    entities: { item: { name: 'issue' } },
    actions: { create: { name: 'issueCreate' } },
    events: { created: { name: 'issueCreated' } },
    channels: {},
  })
  assert.deepEqual(Object.keys(extended.actions).sort(), ['issueCreate', 'sayHello'])
  await deploy()
  assert.notEqual((await bp('interfaces', 'delete', `creatable@${creatable.version}`, '-y')).code, 0)
  await succeeds('integrations', 'delete', 'acme/deployed@1.0.1', '-y')
  await succeeds('interfaces', 'delete', `creatable@${creatable.version}`, '-y')

  define('1.1.0', 'Second')
  await deploy('--public')
  assert.equal((await deployed('latest')).visibility, 'public')
  assert.match(await succeeds('integrations', 'get', 'acme/deployed@1.1.0'), /Second|intver_/)
  define('1.1.0', 'Too late')
  assert.notEqual((await bp('deploy', '-y', '--workDir', folder, '--secrets', 'API_KEY=x')).code, 0)

  await succeeds('integrations', 'delete', 'acme/deployed@1.0.0', '-y')
  await succeeds('integrations', 'delete', (await deployed('latest')).id, '-y')
  assert.equal((await refusal(client.getIntegrationByName({ name: 'acme/deployed', version: 'latest' }))).type, 'ResourceNotFound')
  console.log('the command line: done')
}

try {
  await theClient()
  await theInterfaces()
  await theIntegration()
  await theCommandLine()
} finally {
  fs.rmSync(home, { recursive: true, force: true })
}
