// An integration as its author writes it with the product's SDK, and serves it: its actions are called by the server
// that it is installed on, and its code sends events there with a key of its version (BP_API_URL, BP_TOKEN).
import { createRequire } from 'node:module'

const { Integration, RuntimeError } = createRequire(import.meta.url)('botpress-sdk')

const integration = new Integration({
  register: async () => {},
  unregister: async () => {},
  handler: async () => {},
  channels: {},
  actions: {
    sayHello: async ({ ctx, input, client }) => {
      const { event } = await client.createEvent({ type: 'greeted', payload: { text: input.text } })
      return { greeting: `Hello, ${input.text}, in ${ctx.configuration.room}`, eventId: event.id }
    },
    sayNothing: async () => ({}),
    fail: async () => {
      throw new RuntimeError('nobody is there')
    },
  },
})
await integration.start(Number(process.argv[2]))
