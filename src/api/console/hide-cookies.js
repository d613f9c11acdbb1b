const withoutCookies = (list) => list?.filter((schemes) => !schemes.some((scheme) => scheme.get('in') === 'cookie'));
const HideCookies = () => ({
  statePlugins: {
    auth: {
      wrapSelectors: {
        definitionsToAuthorize: (original) => (...args) => withoutCookies(original(...args)),
        definitionsForRequirements: (original) => (...args) => withoutCookies(original(...args)),
      },
    },
  },
});

