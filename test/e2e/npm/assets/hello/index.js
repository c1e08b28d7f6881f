module.exports = 'hello from a package of npm';
