const withoutCookies = (list) => list?.filter((schemes) => !schemes.some((scheme) => scheme.get('in') === 'cookie'));
// An operation's dialog shows those of its schemes that this selector returns.
const HideCookies = () => ({
  statePlugins: {
    auth: { wrapSelectors: { definitionsToAuthorize: (original) => (state, ...args) => withoutCookies(original(...args)) } },
  },
});
