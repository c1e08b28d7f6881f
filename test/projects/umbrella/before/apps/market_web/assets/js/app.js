import {LiveSocket} from "phoenix_live_view"
